import { CLASSES } from './abi.ts';

/** An Aho-Corasick automaton over characters in lower case, as dist/scan.wasm reads it. */
export interface Automaton {
  /** Class of each of 256 characters; class 0 is all that no pattern holds. */
  classes: Uint8Array;
  /** State times CLASSES plus class: the next state. */
  transitions: Uint16Array;
  /** States from this one on end a pattern. */
  firstAccepting: number;
  /** For each accepting state: what ends there, as given. */
  ends: readonly (readonly number[])[];
}

/** Most states: their numbers have 16 bits. */
export const MAX_STATES = 0xffff;

/**
 * Builds the automaton of patterns: lower-case texts, each with a number that may occur more than once.
 * Rare characters share a class, so a pattern can end where it only looks alike: the text has to be compared.
 * Throws RangeError for more than MAX_STATES states.
 */
export function buildAutomaton(patterns: readonly (readonly [text: string, id: number])[]): Automaton {
  const classes = classesOf(patterns);
  const children: Map<number, number>[] = [new Map()];
  const own: number[][] = [[]];
  for (const [text, id] of patterns) {
    let state = 0;
    for (let index = 0; index < text.length; index++) {
      const kind = classes[text.charCodeAt(index)]!;
      let next = children[state]!.get(kind);
      if (next === undefined) {
        next = children.length;
        if (next > MAX_STATES) throw new RangeError(`more than ${MAX_STATES} states`);
        children.push(new Map());
        own.push([]);
        children[state]!.set(kind, next);
      }
      state = next;
    }
    own[state]!.push(id);
  }
  return link(classes, children, own);
}

/** Breadth first, so that what a state falls back to is complete before it; then accepting states go to the end. */
function link(classes: Uint8Array, children: readonly Map<number, number>[], own: number[][]): Automaton {
  const count = children.length;
  const goto = new Uint16Array(count * CLASSES);
  const fallback = new Uint16Array(count);
  const order = [0];
  for (let head = 0; head < order.length; head++) {
    const state = order[head]!;
    const back = fallback[state]!;
    if (state !== 0) {
      own[state]!.push(...own[back]!);
      goto.copyWithin(state * CLASSES, back * CLASSES, (back + 1) * CLASSES);
    }
    for (const [kind, next] of children[state]!) {
      fallback[next] = state === 0 ? 0 : goto[back * CLASSES + kind]!;
      goto[state * CLASSES + kind] = next;
      order.push(next);
    }
  }
  const silent = order.filter((state) => own[state]!.length === 0);
  const accepting = order.filter((state) => own[state]!.length > 0);
  const numbers = new Uint16Array(count);
  [...silent, ...accepting].forEach((state, number) => {
    numbers[state] = number;
  });
  // Shared: threads copy it to where they need it, and have no copy of their own beside that.
  const transitions = new Uint16Array(new SharedArrayBuffer(count * CLASSES * 2));
  for (let state = 0; state < count; state++) {
    for (let kind = 0; kind < CLASSES; kind++) {
      transitions[numbers[state]! * CLASSES + kind] = numbers[goto[state * CLASSES + kind]!]!;
    }
  }
  return { classes, transitions, firstAccepting: silent.length, ends: accepting.map((state) => own[state]!) };
}

/** The most frequent characters have a class of their own, in both cases; all others of the patterns share the last. */
function classesOf(patterns: readonly (readonly [text: string, id: number])[]): Uint8Array {
  const counts = new Map<string, number>();
  for (const [text] of patterns) for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  const classes = new Uint8Array(256);
  [...counts]
    .sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    .forEach(([char], index) => {
      const kind = Math.min(index + 1, CLASSES - 1);
      classes[char.charCodeAt(0)] = kind;
      classes[char.toUpperCase().charCodeAt(0)] = kind;
    });
  return classes;
}
