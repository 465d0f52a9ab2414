import type { KnownSecret } from '../../model/findings.ts';
import { ENCODING_HEADER, KEYWORD, MIN_RUN } from './abi.ts';
import { type Automaton, buildAutomaton, MAX_STATES } from './automaton.ts';
import { type Literal, literalsOf } from './literals.ts';

/** A literal that is found in runs of text. */
export interface RunLiteral extends Literal {
  /** Characters of it that are in the automaton. */
  prefix: number;
  /** Where only a part of the literal is printable, which `text` is: all of its bytes, by the width of a run. */
  whole?: Readonly<Record<1 | 2, Whole>>;
}

/** Bytes of a literal, and how many of them lie before its printable part. */
export interface Whole {
  bytes: Uint8Array;
  before: number;
}

/** A byte sequence that is searched for in all bytes, and what text encoding it is in. */
export interface RawLiteral {
  literal: Literal;
  encoding: 'utf-8' | 'utf-16le';
  bytes: Uint8Array;
}

/** What the first pass looks for. Plain data, made once and given to every thread. */
export interface Patterns {
  automaton: Automaton;
  /** Literals that are printable, or have a stretch that is. */
  literals: readonly RunLiteral[];
  /** All others. Each takes a pass over all bytes. */
  raw: readonly RawLiteral[];
  /** Every text is told of, keyword or not. */
  tellAll: boolean;
}

/** Characters of a literal that the automaton holds: as many as leave it small. Two always do. */
const PREFIXES = [12, 8, 6, 5, 4, 3, 2] as const;

/** States that fit into the second-level cache of most machines, and are built in a moment. */
const FEW_STATES = 16_000;

/** The patterns for rules' keywords (lower case) and known values. */
export function compilePatterns(
  keywords: readonly string[],
  hasUnkeyed: boolean,
  secrets: readonly KnownSecret[],
): Patterns {
  const literals = secrets.flatMap(literalsOf);
  const inRuns: Omit<RunLiteral, 'prefix'>[] = [];
  const raw: Literal[] = [];
  for (const literal of literals) {
    const stretch = longestStretch(literal.text);
    if (stretch === undefined) raw.push(literal);
    else if (stretch === literal.text) inRuns.push(literal);
    else inRuns.push({ ...literal, text: stretch, whole: wholeOf(literal.text, stretch) });
  }
  // Runs of text are ASCII, so no other keyword is in one.
  const words = [...keywords.filter(isPrintable).map((word) => [word, KEYWORD] as const), HEADER];
  const { automaton, prefix } = automatonOf(words, inRuns);
  return {
    automaton,
    literals: inRuns.map((literal) => ({ ...literal, prefix: Math.min(prefix, literal.text.length) })),
    raw: raw.flatMap((literal): RawLiteral[] => [
      { literal, encoding: 'utf-8', bytes: Buffer.from(literal.text, 'utf8') },
      { literal, encoding: 'utf-16le', bytes: Buffer.from(literal.text, 'utf16le') },
    ]),
    tellAll: hasUnkeyed,
  };
}

const HEADER = ['content-encoding:', ENCODING_HEADER] as const;

function automatonOf(words: readonly (readonly [string, number])[], literals: readonly { text: string }[]) {
  for (const prefix of PREFIXES) {
    const prefixes = literals.map(({ text }, id) => [text.slice(0, prefix).toLowerCase(), id] as const);
    if (prefix !== PREFIXES.at(-1) && !areFew(prefixes)) continue;
    return { automaton: buildAutomaton([...words, ...prefixes]), prefix };
  }
  throw new RangeError(`more than ${MAX_STATES} states`);
}

/** Whether the states of the prefixes, which are their distinct beginnings, are few. */
function areFew(prefixes: readonly (readonly [string, number])[]): boolean {
  const beginnings = new Set<string>();
  for (const [text] of prefixes) {
    for (let length = 1; length <= text.length; length++) beginnings.add(text.slice(0, length));
    if (beginnings.size > FEW_STATES) return false;
  }
  return true;
}

/** What is made of fewer different characters is frequent in memory: rules under tables, blanks before lines. */
const MIN_DIFFERENT = 4;

/** The longest part of a text that is a run by itself; the text where all of it is one. */
function longestStretch(text: string): string | undefined {
  const stretches = (text.match(/[\t\n\r\x20-\x7e]+/g) ?? []).filter(({ length }) => length >= MIN_RUN);
  const telling = stretches.filter((stretch) => stretch === text || new Set(stretch).size >= MIN_DIFFERENT);
  return telling.sort((a, b) => b.length - a.length)[0];
}

function wholeOf(text: string, stretch: string): NonNullable<RunLiteral['whole']> {
  const before = text.slice(0, text.indexOf(stretch));
  const inEncoding = (encoding: BufferEncoding) => ({
    bytes: Buffer.from(text, encoding),
    before: Buffer.byteLength(before, encoding),
  });
  return { 1: inEncoding('utf8'), 2: inEncoding('utf16le') };
}

function isPrintable(text: string): boolean {
  return /^[\t\n\r\x20-\x7e]+$/.test(text);
}
