import type { KnownSecret } from '../../model/findings.ts';
import { type Automaton, buildAutomaton, MAX_STATES } from './automaton.ts';
import { type Literal, literalsOf } from './literals.ts';

/** Shortest run of text that the first pass tells of, in characters. */
export const MIN_RUN = 8;

/** Numbers of the automaton that are no literal's. */
export const KEYWORD = 0xffffffff;
export const ENCODING_HEADER = 0xfffffffe;

/** A byte sequence that is searched for in all bytes, and what text encoding it is in. */
export interface RawLiteral {
  literal: Literal;
  encoding: 'utf-8' | 'utf-16le';
  bytes: Uint8Array;
}

/** What the first pass looks for. Plain data, made once and given to every thread. */
export interface Patterns {
  automaton: Automaton;
  /** Printable literals, found in runs of text; `prefix` characters of each are in the automaton. */
  literals: readonly (Literal & { prefix: number })[];
  /** All others. */
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
  const isInRuns = ({ text }: Literal) => text.length >= MIN_RUN && isPrintable(text);
  const inRuns = literals.filter(isInRuns);
  // Runs of text are ASCII, so no other keyword is in one.
  const words = [...keywords.filter(isPrintable).map((word) => [word, KEYWORD] as const), HEADER];
  const { automaton, prefix } = automatonOf(words, inRuns);
  return {
    automaton,
    literals: inRuns.map((literal) => ({ ...literal, prefix: Math.min(prefix, literal.text.length) })),
    raw: literals
      .filter((literal) => !isInRuns(literal))
      .flatMap((literal): RawLiteral[] => [
        { literal, encoding: 'utf-8', bytes: Buffer.from(literal.text, 'utf8') },
        { literal, encoding: 'utf-16le', bytes: Buffer.from(literal.text, 'utf16le') },
      ]),
    tellAll: hasUnkeyed,
  };
}

const HEADER = ['content-encoding:', ENCODING_HEADER] as const;

function automatonOf(words: readonly (readonly [string, number])[], literals: readonly Literal[]) {
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

function isPrintable(text: string): boolean {
  return /^[\t\n\r\x20-\x7e]+$/.test(text);
}
