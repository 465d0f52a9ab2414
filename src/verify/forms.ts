/** Values written as symbols of equal length, so that one place of them can be compared with another. */
export interface Columns {
  /** By process, then by value: one character a column. */
  symbols: string[][];
  /** Bits that a symbol tells. */
  weight: number;
}

/** Shorter texts are names and states rather than ids. */
const SHORTEST_TEXT = 12;
/** Integers of fewer digits are counts and measurements, which come close to each other in clones for good reason. */
const SHORTEST_NUMBER = 14;

const CROCKFORD = '[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LOWER_FIRST = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const BASE58 = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';

/** Names of forms, the first that fits all values. */
const FORMS: [RegExp, string][] = [
  [/^[0-9a-f]{8}-[0-9a-f]{4}-([1-8])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i, 'UUID version $1'],
  [/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i, 'GUID'],
  [/^\d{14,20}$/, 'a number as of a Snowflake'],
  [/^\d+$/, 'a number'],
  [/^[0-9a-f]{24}$/i, 'an ObjectId'],
  [/^[0-9a-f]+$/i, 'hexadecimal'],
  [new RegExp(`^[0-7]${CROCKFORD}{25}$`), 'a ULID'],
  [/^[A-Z2-7]+=*$/i, 'base32'],
  [/^[1-9A-HJ-NP-Za-km-z]+$/, 'base58'],
  [/^[0-9A-Za-z]+$/, 'base62'],
  [/^[\w+/-]+=*$/, 'base64'],
];

/** What the values are, for people. */
export function formOf(values: string[]): string {
  const [pattern, name] = FORMS.find(([pattern]) => values.every((value) => pattern.test(value))) ?? [];
  return pattern && name ? values[0]!.replace(pattern, name) : 'text';
}

/**
 * The values of several processes in columns: by character where all have one length, by bit where they are long integers
 * or integers written in letters. Empty where there is no such way to write them.
 */
export function columnsOf(processes: string[][]): Columns[] {
  const all = processes.flat();
  const [first] = all;
  if (first === undefined) return [];
  const every = (pattern: RegExp) => all.every((value) => pattern.test(value));
  if (every(new RegExp(`^\\d{${SHORTEST_NUMBER},38}$`))) return [inBits(processes, DIGITS.slice(0, 10))];
  const columns: Columns[] = [];
  if (first.length >= SHORTEST_TEXT && all.every(({ length }) => length === first.length))
    columns.push({ symbols: processes, weight: every(/^[0-9a-f-]+$/i) || !every(/^[\w-]+$/) ? 4 : 5 });
  // Characters of a number in base 58 or 62 are no part of its bits: each depends on all.
  if (every(/^(?=.*[a-z])(?=.*[A-Z])[0-9A-Za-z]{11,44}$/)) {
    columns.push(inBits(processes, DIGITS), inBits(processes, LOWER_FIRST));
    if (every(/^[1-9A-HJ-NP-Za-km-z]+$/)) columns.push(inBits(processes, BASE58));
  }
  return columns;
}

function inBits(processes: string[][], alphabet: string): Columns {
  const base = BigInt(alphabet.length);
  const binary = processes.map((values) =>
    values.map((value) =>
      [...value].reduce((sum, character) => sum * base + BigInt(alphabet.indexOf(character)), 0n).toString(2),
    ),
  );
  const width = Math.max(...binary.flat().map(({ length }) => length));
  return { symbols: binary.map((values) => values.map((value) => value.padStart(width, '0'))), weight: 1 };
}
