/** A Markdown table; the first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const [head, ...body] = rows.map((cells) => `| ${cells.join(' | ')} |`);
  const rule = `|${' --- |'.repeat(rows[0]!.length)}`;
  return [head, rule, ...body].join('\n');
}

/** Milliseconds as the tables write them. */
export function ms(value: number): string {
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}

/** The same of what takes less than a millisecond, too. */
export function fineMs(value: number): string {
  return value < 10 ? value.toFixed(2) : ms(value);
}

/** Bytes as decimal megabytes, as registries and `docker images` count. */
export function megabytes(bytes: number): string {
  const value = bytes / 1e6;
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)} MB`;
}
