import type { Area, Span } from './areas.ts';

/** A mapping, or advice for addresses that are mapped by then. */
export type Item = { area: Area } | { advised: Span; advice: number };

interface Mapped {
  area: Area;
  /** Areas that it stands for, where it is a cover. */
  members?: Area[];
}

/**
 * The order in which areas that lie side by side are mapped. `reserved` are those that only keep addresses free: where
 * there are two or more of one kind, one mapping covers all addresses from the first to the last, and the areas between are
 * mapped over it. Advice is given once for all neighbours that have it.
 */
export function arranged(areas: readonly Area[], reserved: ReadonlySet<Area>): Item[] {
  const order = arrange(areas, reserved);
  const members = new Set(order.flatMap((item) => item.members ?? []));
  const advised = new Map<number, Set<Area>>();
  const last: Item[] = [];
  for (const advice of new Set(areas.flatMap(adviceOf))) {
    const known = new Set<Area>();
    advised.set(advice, known);
    for (const group of split(areas, (area) => (area.advice & (1 << advice)) === 0)) {
      if (group.every((area) => members.has(area))) continue;
      for (const area of group) known.add(area);
      last.push({ advised: { start: group[0]!.start, end: group.at(-1)!.end }, advice });
    }
  }
  return [
    ...order.flatMap(({ area, members }): Item[] => {
      const own = adviceOf(area).filter((advice) => members?.some((member) => !advised.get(advice)!.has(member)));
      return [{ area }, ...own.map((advice) => ({ advised: { start: area.start, end: area.end }, advice }))];
    }),
    ...last,
  ];
}

/** Covers first, and inside of them again. */
function arrange(areas: readonly Area[], reserved: ReadonlySet<Area>): Mapped[] {
  const kinds = new Map<string, Area[]>();
  for (const area of areas) {
    if (!reserved.has(area)) continue;
    const kind = `${area.flags} ${area.advice}`;
    const same = kinds.get(kind) ?? [];
    same.push(area);
    kinds.set(kind, same);
  }
  const members = [...kinds.values()].sort((a, b) => b.length - a.length)[0] ?? [];
  if (members.length < 2) return areas.map((area) => ({ area }));
  const among = new Set(members);
  const [first, end] = [areas.indexOf(members[0]!), areas.indexOf(members.at(-1)!) + 1];
  return [
    ...arrange(areas.slice(0, first), reserved),
    { area: { ...members[0]!, end: members.at(-1)!.end }, members },
    ...split(areas.slice(first, end), (area) => among.has(area)).flatMap((group) => arrange(group, reserved)),
    ...arrange(areas.slice(end), reserved),
  ];
}

/** The groups between areas that separate them, without those. */
function split(areas: readonly Area[], separates: (area: Area) => boolean): Area[][] {
  const groups: Area[][] = [[]];
  for (const area of areas)
    if (separates(area)) groups.push([]);
    else groups.at(-1)!.push(area);
  return groups.filter((group) => group.length > 0);
}

function adviceOf({ advice }: Area): number[] {
  return Array.from({ length: 31 }, (_, bit) => bit).filter((bit) => advice & (1 << bit));
}
