import { columnsOf, formOf } from './forms.ts';
import type { PlaceValues } from './places.ts';

/** What newValues() found in the answers of one process, by the key of the place. */
export type ProcessValues = Map<string, PlaceValues>;

/** A place whose values the clones have in common, wholly or in part, as no two processes should that started by themselves. */
export interface CarriedValue {
  place: string;
  /** `ObjectId`, `number`, `hexadecimal`, … */
  form: string;
  /** True where the values are equal, false where only a part of them is. */
  whole: boolean;
  /** How many bits speak for it: by chance it would be so in 1 of 2 to this power. */
  evidence: number;
}

/** With so many bits a place is beyond chance: 1 in a million. */
export const PROVEN = 20;
/** With so many it is worth a look at further processes. */
const SUSPECT = 3;

/**
 * The places that clones fill alike, judged by processes of the same image that were started normally: what two of these
 * have in common, too, follows from the app and not from the snapshot. Without such processes all that clones have in
 * common is returned that could turn out to be proven by them.
 */
export function carriedOver(clones: ProcessValues[], cold: ProcessValues[]): CarriedValue[] {
  const [first] = clones;
  if (!first || clones.length < 2) return [];
  return [...first].flatMap(([key, { place }]) => {
    const valuesOf = (processes: ProcessValues[]) => processes.map((process) => process.get(key)?.values ?? []);
    const [restored, started] = [valuesOf(clones), valuesOf(cold)];
    const count = Math.min(...[...restored, ...started].map(({ length }) => length));
    if (count < 2) return [];
    const cut = (lists: string[][]) => lists.map((list) => list.slice(0, count));
    const [ofClones, ofCold] = withoutCommonText(cut(restored), cut(started));
    if (beginsAnew(ofClones, ofCold)) return [];
    const found = judge(ofClones, ofCold);
    return found ? [{ place, form: formOf(restored[0]!), ...found }] : [];
  });
}

/** Counters of a process that has just started are below this. */
const FEW = 100_000;
const SHORT_NUMBER = /^\d{1,13}$/;

/** Only the number of values such as `/orders/17`, where nothing else of them changes. */
function withoutCommonText(clones: string[][], cold: string[][]): [string[][], string[][]] {
  const all = [...clones, ...cold].flat();
  const textOf = (value: string) => value.replace(/\d+/g, '#');
  const numbersOf = (value: string) => value.match(/\d+/g) ?? [];
  if (!all.every((value) => textOf(value) === textOf(all[0]!))) return [clones, cold];
  const changing = numbersOf(all[0]!).flatMap((number, at) =>
    all.some((value) => numbersOf(value)[at] !== number) ? [at] : [],
  );
  if (changing.length !== 1 || !all.every((value) => SHORT_NUMBER.test(numbersOf(value)[changing[0]!]!)))
    return [clones, cold];
  const only = (lists: string[][]) =>
    lists.map((values) => values.map((value) => numbersOf(value)[changing[0]!]!.replace(/^0+(?=\d)/, '')));
  return [only(clones), only(cold)];
}

/**
 * Whether the values count what has happened in a process: in one that has just started they are few, fewer than in a
 * clone. What else the process does at its start may make them differ a little between two.
 */
function beginsAnew(clones: string[][], cold: string[][]): boolean {
  if (cold.length === 0 || ![...clones, ...cold].flat().every((value) => SHORT_NUMBER.test(value))) return false;
  const least = Math.min(...clones.flat().map(Number));
  return cold.every(([first]) => Number(first) < Math.min(FEW, least));
}

/** How many processes started by themselves it takes to tell, at the least. */
const CONTROLS = 2;

function judge(clones: string[][], cold: string[][]): { whole: boolean; evidence: number } | undefined {
  const isEqual = clones.every((values) => isSame(values, clones[0]!));
  const hasControl = cold.length >= CONTROLS;
  if (isEqual && hasControl && followsFromApp(cold.map((values) => values.join(' ')))) return undefined;
  const others = clones.length - 1;
  const inColumns = columnsOf([...clones, ...cold]).flatMap(
    (columns) => bitsInCommon(columns, clones.length, hasControl) ?? [],
  );
  const evidence = Math.max(isEqual ? varietyOf(clones[0]!) * others : 0, ...inColumns.map(({ bits }) => bits));
  // Without a control, columns that are the same in every process look like an identity.
  const isSuspect = hasControl
    ? evidence >= SUSPECT || inColumns.some(({ behindChanges }) => behindChanges > 0)
    : evidence >= 2 * others * SUSPECT;
  return isSuspect ? { whole: isEqual, evidence } : undefined;
}

/** Whether normal starts agree in what clones agree in: any two, or of many so many that it is no collision of small numbers. */
function followsFromApp(cold: string[]): boolean {
  return 2 * new Set(cold).size <= cold.length + 1 && new Set(cold).size < cold.length;
}

/** Bits that a series of values tells beyond its first: a counter tells one for each step, random numbers all of theirs. */
function varietyOf(values: string[]): number {
  const bits = values.slice(1).map((value, index) => {
    const before = values[index]!;
    if (/^\d{1,15}$/.test(value) && /^\d{1,15}$/.test(before))
      return Math.log2(1 + Math.abs(Number(value) - Number(before)));
    const length = Math.max(value.length, before.length);
    return 4 * Array.from({ length }).filter((_, at) => value[at] !== before[at]).length;
  });
  return bits.reduce((sum, more) => sum + more, 0);
}

/**
 * Evidence, in bits, of the columns that are the same in all clones at each of their values, and not in all processes that
 * started by themselves. Of columns that never change in a process some agree by chance, as bits of a time do; how many
 * ways there are to choose as many of them counts against it. `behindChanges` of those that never change stand behind one that
 * does: there is no time there, but perhaps the number of a worker, whose few bits are suspect however little they tell.
 * Undefined where normal starts agree in all of them.
 */
function bitsInCommon(
  { symbols, weight }: { symbols: string[][]; weight: number },
  clones: number,
  hasControl: boolean,
): { bits: number; behindChanges: number } | undefined {
  const restored = symbols.slice(0, clones);
  const cold = symbols.slice(clones);
  const width = restored[0]![0]!.length;
  const column = (process: string[], at: number) => process.map((value) => value[at]!).join('');
  const kinds = { constant: { all: 0, agreeing: 0, bits: 0 }, changing: { all: 0, agreeing: 0, bits: 0 } };
  const identity: string[] = cold.map(() => '');
  let [hasChange, behindChanges] = [false, 0];
  // What stands before the first digit that is not 0 says nothing but that the numbers are small.
  let at = 0;
  while (at < width && restored.every((values) => values.every((value) => value[at] === '0'))) at++;
  for (; at < width; at++) {
    // Without a control, marks between the parts of an id and its unused digits can't be told from an identity.
    if (restored[0]!.every((value) => (hasControl ? /[^0-9A-Za-z]/ : /[^1-9A-Za-z]/).test(value[at]!))) continue;
    const ofClones = restored.map((values) => column(values, at));
    const ofCold = cold.map((values) => column(values, at));
    const isConstant = [...ofClones, ...ofCold].every((text) => new Set(text).size === 1);
    hasChange ||= !isConstant;
    if (hasControl && ofCold.every((text) => text === ofCold[0])) continue;
    const kind = isConstant ? kinds.constant : kinds.changing;
    kind.all++;
    if (!ofClones.every((text) => text === ofClones[0])) continue;
    kind.agreeing++;
    if (isConstant && hasChange) behindChanges++;
    const changes = [...ofClones[0]!].filter((symbol, index, all) => index > 0 && symbol !== all[index - 1]).length;
    kind.bits += weight * (1 + changes) * (clones - 1);
    for (const [index, text] of ofCold.entries()) identity[index] += `${text} `;
  }
  if (hasControl && followsFromApp(identity)) return undefined;
  const bits = Object.values(kinds).reduce(
    (sum, { all, agreeing, bits }) => sum + bits - log2OfChoices(all, agreeing),
    0,
  );
  return { bits, behindChanges };
}

/** log2 of the number of ways to choose `some` of `all`. */
function log2OfChoices(all: number, some: number): number {
  let sum = 0;
  for (let n = 1; n <= some; n++) sum += Math.log2((all - some + n) / n);
  return sum;
}

function isSame(a: string[], b: string[]): boolean {
  return a.every((value, index) => value === b[index]);
}
