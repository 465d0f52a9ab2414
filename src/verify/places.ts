import type { Answer } from '../model/index.ts';
import { placeOf } from './compare-json.ts';
import { wordsOf } from './compare-text.ts';
import { cookiesIn, isProtected } from './generated.ts';
import { groupBy } from './group.ts';

/** The values of one place in the answers of one process, in the order in which they came. */
export interface PlaceValues {
  /** `$.id of POST /orders`. */
  place: string;
  values: string[];
}

/** Longer bodies are not looked into; ids stand in small answers. */
const LONGEST_BODY = 1 << 20;
/** A value as long as this that comes again in a later answer to the same exchange is something that is kept and shown. */
const TELLING = 8;
/** What is no id, whatever it looks like: it follows from the clock, the body or the connection. */
const PASSED_OVER = new Set([
  'date',
  'content-length',
  'last-modified',
  'expires',
  'age',
  'set-cookie',
  'server-timing',
]);
const TIME_TEXT = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d/;
/** Units a second of the ways to write a time as a number: s, ms, us, ns. */
const UNITS = [1n, 1_000n, 1_000_000n, 1_000_000_000n];
/** .NET's ticks (100 ns) at the start of Unix time. */
const TICKS_AT_EPOCH = 621_355_968_000_000_000n;
const TICKS_A_SECOND = 10_000_000n;
/** How far from now a number may be to be taken for a time, in seconds. */
const NEAR_NOW = 86_400n;

/**
 * Every place in the answers of one process whose value is new in each of them: a member of a JSON body, a word of a text, a
 * header, a cookie. Times don't count, nor does what is shown again later: it is kept, not made for the answer.
 */
export function newValues(answers: Answer[]): Map<string, PlaceValues> {
  const places = new Map<string, PlaceValues>();
  for (const ofExchange of groupBy(answers, ({ exchange }) => exchange).values()) {
    const found = ofExchange.map((answer) => valuesIn(answer).flatMap(partsOf));
    const answersWith = new Map<string, number>();
    for (const values of found)
      for (const value of new Set(values.map(({ value }) => value)))
        answersWith.set(value, (answersWith.get(value) ?? 0) + 1);
    const all = found.flatMap((values, index) => values.map((value) => ({ ...value, answer: ofExchange[index]! })));
    for (const [key, group] of groupBy(all, ({ what, part }) => JSON.stringify([what, part]))) {
      const values = group.map(({ value }) => value);
      const isNew = new Set(values).size === values.length && values.length > 1;
      const isKept = values.some((value) => value.length >= TELLING && answersWith.get(value)! > 1);
      if (!isNew || isKept || values.every((value) => isTime(value) || isProtected(value))) continue;
      const { what, answer } = group[0]!;
      const { exchange, method, path } = answer;
      places.set(JSON.stringify([exchange, key]), { place: `${what} of ${method} ${path}`, values });
    }
  }
  return places;
}

function valuesIn({ headers, body }: Answer): { what: string; value: string }[] {
  const found = Object.entries(headers)
    .filter(([name]) => !PASSED_OVER.has(name))
    .map(([name, value]) => ({ what: `header ${name}`, value }));
  found.push(...cookiesIn(headers['set-cookie'] ?? '').map(({ name, value }) => ({ what: `cookie ${name}`, value })));
  if (body.length > LONGEST_BODY) return found;
  const text = new TextDecoder().decode(body);
  const json = /[/+]json\b/i.test(headers['content-type'] ?? '') ? parseExactly(text) : undefined;
  if (json !== undefined) collect(json, '$', found);
  else if (/^(text\/|$)|[/+](xml|json)\b/i.test(headers['content-type'] ?? ''))
    found.push(...wordsOf(text).map((value, index) => ({ what: `word ${index + 1}`, value })));
  return found;
}

/** The segments of a path or an address, each by itself: most of them are the same in all processes. Else the whole value. */
function partsOf({ what, value }: { what: string; value: string }): { what: string; part: number; value: string }[] {
  const parts = /^\/|:\/\//.test(value) ? value.split(/[/?=&#]/) : [value];
  return parts.map((text, part) => ({ what, part, value: text }));
}

function collect(value: unknown, at: string, found: { what: string; value: string }[]): void {
  if (typeof value === 'string' || typeof value === 'number') found.push({ what: at, value: String(value) });
  else if (Array.isArray(value)) for (const [index, item] of value.entries()) collect(item, `${at}[${index}]`, found);
  else if (typeof value === 'object' && value !== null)
    for (const [key, member] of Object.entries(value)) collect(member, placeOf(at, key), found);
}

/** JSON with its long integers as text: a number of JavaScript keeps 15 digits, a Snowflake has 19. */
function parseExactly(text: string): unknown {
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    /^\d{16,}$/.test(token) ? `"${token}"` : token,
  );
  try {
    return JSON.parse(quoted);
  } catch {
    return undefined;
  }
}

/** Whether the value is the present time, as text or as a number of one of the usual units. */
function isTime(value: string): boolean {
  if (TIME_TEXT.test(value)) return true;
  if (!/^\d{10,19}$/.test(value)) return false;
  const number = BigInt(value);
  const now = BigInt(Math.floor(Date.now() / 1000));
  const isNear = (seconds: bigint) => seconds > now - NEAR_NOW && seconds < now + NEAR_NOW;
  return UNITS.some((unit) => isNear(number / unit)) || isNear((number - TICKS_AT_EPOCH) / TICKS_A_SECOND);
}
