import type { Answer, Traffic } from '../model/index.ts';
import { printable } from './compare.ts';
import { type GeneratedValue, generatedIn, isProtected } from './generated.ts';
import { groupBy } from './group.ts';

/** A value that a restored clone made when asked. */
export interface UniqueValue {
  /** What made it, such as `RandomNumberGenerator.GetBytes`. */
  source: string;
  value: string;
}

/** The values of one restored clone. */
export interface CloneValues {
  made: UniqueValue[];
  answered: GeneratedValue[];
}

/** A value that more than one clone has, or one clone twice; the value itself stays untold. */
export interface SharedValue {
  /** What made it, or its place in an answer. */
  what: string;
  /** Numbers of the clones that have it, from 1. */
  clones: number[];
}

/** What is known from before the restore, to tell what a clone made from what it repeats. */
export interface History {
  /** Replays from before the checkpoint; none where the snapshot comes from the cache. */
  before: Answer[][];
  traffic: Traffic;
}

/** How many characters must differ between two values of a place that is filled at random; counters and times differ in fewer. */
const RANDOM_CHARACTERS = 8;

/** Finds the values that clones share and that each must make for itself, and counts those that were compared. */
export function compareClones(
  clones: CloneValues[],
  history: History,
): { valuesCompared: number; shared: SharedValue[] } {
  const made = sharedOnRequest(clones);
  const answered = sharedInAnswers(clones, history);
  return {
    valuesCompared: clones.flatMap((clone) => clone.made).length + answered.valuesCompared,
    shared: [...made, ...answered.shared],
  };
}

/** Equal values of any source: each must be the only one of its kind among all clones, and within one. */
function sharedOnRequest(clones: CloneValues[]): SharedValue[] {
  const values = clones.flatMap(({ made }, index) => made.map((value) => ({ ...value, clone: index + 1 })));
  return [...groupBy(values, ({ value }) => value).values()]
    .filter((group) => group.length > 1)
    .map((group) => ({
      what: distinct(group.map(({ source }) => source)).join(' and '),
      clones: distinct(group.map(({ clone }) => clone)),
    }));
}

/** Equal values in answers to the same exchange that the clones have made, not kept from before the checkpoint. */
function sharedInAnswers(clones: CloneValues[], history: History): { valuesCompared: number; shared: SharedValue[] } {
  if (clones.length < 2) return { valuesCompared: 0, shared: [] };
  const isGenerated = evidence(history);
  const values = clones.flatMap(({ answered }, index) => answered.map((value) => ({ ...value, clone: index + 1 })));
  const compared = new Set<string>();
  const shared = new Map<string, SharedValue>();
  for (const group of groupBy(values, ({ key, value }) => JSON.stringify([key, value])).values()) {
    const { place, value } = group[0]!;
    const owners = distinct(group.map(({ clone }) => clone));
    if (owners.length > 1 && !isGenerated(group[0]!)) continue;
    for (const clone of owners) compared.add(`${clone} ${value}`);
    // One value may come again in later answers; its first place is nearest to what made it.
    if (owners.length > 1 && !shared.has(value)) shared.set(value, { what: place, clones: owners });
  }
  return { valuesCompared: compared.size, shared: [...shared.values()] };
}

/**
 * Whether an equal value shows that clones generate alike. It does not where it was there before the checkpoint, where
 * the traffic sent it, or where the place is not known to be filled at random.
 */
function evidence({ before, traffic }: History): (found: GeneratedValue) => boolean {
  const earlier = groupBy(before.flatMap(generatedIn), ({ key }) => key);
  let known: string | undefined;
  return ({ key, value }) => {
    known ??= [...before.flat().flatMap(textsOfAnswer), ...traffic.exchanges.flatMap(textsOfRequest)]
      .join('\n')
      .toLowerCase();
    if (known.includes(value.toLowerCase()) || known.includes(decoded(value).toLowerCase())) return false;
    if (isProtected(value)) return true;
    const others = earlier.get(key) ?? [];
    return others.length > 0 && others.every((other) => differingCharacters(value, other.value) >= RANDOM_CHARACTERS);
  };
}

function textsOfAnswer({ headers, body }: Answer): string[] {
  return [...Object.values(headers), new TextDecoder().decode(body)];
}

function textsOfRequest({ path, headers, body }: Traffic['exchanges'][number]): string[] {
  const content = typeof body === 'string' ? body : new TextDecoder().decode(body);
  return [path, ...Object.values(headers), content];
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function differingCharacters(a: string, b: string): number {
  const length = Math.max(a.length, b.length);
  let count = 0;
  for (let at = 0; at < length; at++) if (a[at] !== b[at]) count++;
  return count;
}

/** What is shared, for people: one line for each source or place and the clones that share it, at most `longest` lines. */
export function formatShared(shared: SharedValue[], longest = 20): string {
  const groups = [...groupBy(shared, ({ what, clones }) => JSON.stringify([what, clones])).values()];
  const lines = groups.slice(0, longest).map((group) => {
    const { what, clones } = group[0]!;
    const count = group.length > 1 ? `${group.length} values, ` : '';
    const owners = clones.length > 1 ? `clones ${listed(clones)}` : `twice in clone ${clones[0]}`;
    return `${printable(what)}: ${count}${owners}`;
  });
  if (groups.length > longest) lines.push(`and ${groups.length - longest} more`);
  return lines.join('\n');
}

function listed(numbers: number[]): string {
  return `${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1)}`;
}

function distinct<T>(values: T[]): T[] {
  return [...new Set(values)];
}
