/** Characters that are told apart: ASCII. All others count as one that no keyword holds. */
const ALPHABET = 128;

/** A keyword of a rule. */
interface Word<Owner> {
  owner: Owner;
  length: number;
}

/**
 * Finds whose keywords a text holds, in any case, in one pass: an Aho-Corasick automaton with a full transition table.
 */
export class KeywordIndex<Owner> {
  /** Each keyword once, lower case. */
  readonly words: string[];
  /** State times {@link ALPHABET} plus character: the next state, times {@link ALPHABET}. */
  private readonly next: Uint32Array;
  /** By state: the keywords that end there. */
  private readonly wordsAt: (readonly Word<Owner>[] | undefined)[];
  /** Keywords that are not ASCII. */
  private readonly others: readonly [string, Owner][];

  constructor(entries: readonly (readonly [word: string, owner: Owner])[]) {
    const lower = entries.map(([word, owner]): [string, Owner] => [word.toLowerCase(), owner]);
    this.words = [...new Set(lower.map(([word]) => word))];
    const isAscii = ([word]: [string, Owner]) => /^[\0-\x7f]+$/.test(word);
    this.others = lower.filter((entry) => !isAscii(entry));
    const table = automatonOf(lower.filter(isAscii));
    this.next = table.next;
    this.wordsAt = table.wordsAt;
  }

  /** Tells of every keyword in a text, in the order of their ends; of those that are not ASCII at last. */
  visit(text: string, found: (owner: Owner, start: number, end: number) => void): void {
    const { next, wordsAt } = this;
    let state = 0;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      state = code < ALPHABET ? next[state + code]! : 0;
      const words = wordsAt[state / ALPHABET];
      if (words === undefined) continue;
      for (const { owner, length } of words) found(owner, index + 1 - length, index + 1);
    }
    if (this.others.length === 0) return;
    const lower = text.toLowerCase();
    for (const [word, owner] of this.others) {
      for (let at = lower.indexOf(word); at >= 0; at = lower.indexOf(word, at + 1)) found(owner, at, at + word.length);
    }
  }
}

function automatonOf<Owner>(entries: readonly (readonly [string, Owner])[]) {
  const states = 1 + entries.reduce((sum, [word]) => sum + word.length, 0);
  const goto = new Int32Array(states * ALPHABET).fill(-1);
  const wordsAt: (Word<Owner>[] | undefined)[] = [];
  let used = 1;
  for (const [word, owner] of entries) {
    let state = 0;
    for (const char of word) {
      const slot = state * ALPHABET + char.charCodeAt(0);
      if (goto[slot] === -1) goto[slot] = used++;
      state = goto[slot]!;
    }
    wordsAt[state] = [...(wordsAt[state] ?? []), { owner, length: word.length }];
  }
  const fail = new Int32Array(used);
  const queue = [0];
  for (let head = 0; head < queue.length; head++) {
    const state = queue[head]!;
    for (let code = 0; code < ALPHABET; code++) {
      const slot = state * ALPHABET + code;
      const fallback = state === 0 ? 0 : goto[fail[state]! * ALPHABET + code]!;
      const child = goto[slot]!;
      if (child === -1) {
        goto[slot] = fallback;
        continue;
      }
      fail[child] = fallback;
      const inherited = wordsAt[fallback];
      if (inherited !== undefined) wordsAt[child] = [...(wordsAt[child] ?? []), ...inherited];
      queue.push(child);
    }
  }
  const next = new Uint32Array(used * ALPHABET);
  for (let slot = 0; slot < next.length; slot++) {
    const upper = slot % ALPHABET;
    const isUpper = upper >= 0x41 && upper <= 0x5a;
    next[slot] = goto[isUpper ? slot + 0x20 : slot]! * ALPHABET;
  }
  return { next, wordsAt };
}
