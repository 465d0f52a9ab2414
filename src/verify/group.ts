/** The values in groups of equal key, groups and values in the order in which they came. */
export function groupBy<T, K>(values: Iterable<T>, keyOf: (value: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

/** The map with each value changed. */
export function mapValues<K, V, W>(map: Map<K, V>, change: (value: V, key: K) => W): Map<K, W> {
  return new Map(Array.from(map, ([key, value]) => [key, change(value, key)]));
}
