import type { BodyCheck, PartDifference } from './compare-body.ts';

// Between spaces and the marks of HTML stand whole words: numbers, dates, paths and base64 are one word however long.
const TOKEN = /\s+|[<>"'`()[\]{}]|[^\s<>"'`()[\]{}]+/g;
const WORD = /[\p{L}\p{N}]/u;

/** How many tokens before a word tell its column in a table or its place in a list. */
const CONTEXT = 3;
/** How much longer or shorter a text may be where only its length can be compared. */
const LENGTH_FACTOR = 4;

/**
 * The check that the words which were the same in all of several texts are the same in another. Texts of different
 * numbers of words are compared by length alone. Of `pairs`, each of which answers the same, what differs may differ here.
 */
export function textCheck(samples: Uint8Array[], pairs: [Uint8Array, Uint8Array][] = []): BodyCheck {
  const tokenized = samples.map((body) => tokensOf(body));
  const count = tokenized[0]!.length;
  if (samples.length < 2 || tokenized.some((tokens) => tokens.length !== count)) return lengthCheck(samples);
  const template = templateOf(tokenized);
  for (const [one, other] of pairs.map((pair) => pair.map((body) => tokensOf(body)))) {
    if (one!.length !== count || other!.length !== count) continue;
    for (const at of template.keys()) if (one![at] !== other![at]) template[at] = undefined;
  }
  return (body) => {
    const tokens = tokensOf(body);
    const longest = Math.max(tokens.length, count);
    for (let at = 0; at < longest; at++) {
      // Past the end of one of the two, the other has something too much.
      if (at < count && at < tokens.length && (template[at] === undefined || template[at] === tokens[at])) continue;
      return [differenceAt(at, template, tokens)];
    }
    return [];
  };
}

/** The check that a body's length is of the order of those seen. */
export function lengthCheck(samples: Uint8Array[]): BodyCheck {
  const lengths = samples.map(({ length }) => length);
  const shortest = Math.min(...lengths);
  const longest = Math.max(...lengths);
  return ({ length }) => {
    if (length >= shortest / LENGTH_FACTOR && length <= longest * LENGTH_FACTOR) return [];
    const expected = shortest === longest ? `about ${shortest} bytes` : `about ${shortest} to ${longest} bytes`;
    return [{ at: '', expected, actual: `${length} bytes` }];
  };
}

function tokensOf(body: Uint8Array | string): string[] {
  return (typeof body === 'string' ? body : new TextDecoder().decode(body)).match(TOKEN) ?? [];
}

/** The words of a text, without what stands between them. */
export function wordsOf(text: string): string[] {
  return tokensOf(text).filter((token) => WORD.test(token));
}

/** Each token, or undefined where it varies. */
function templateOf(tokenized: string[][]): (string | undefined)[] {
  const [first, ...others] = tokenized as [string[], ...string[][]];
  const template = first.map((token, at) => (others.every((tokens) => tokens[at] === token) ? token : undefined));
  const contextOf = (at: number): string => first.slice(Math.max(0, at - CONTEXT), at).join('');
  const loose = new Set(first.flatMap((_token, at) => (template[at] === undefined ? [contextOf(at)] : [])));
  // A cell may be equal by chance; where another cell of its kind varied, that means nothing.
  return template.map((token, at) => (token && WORD.test(token) && loose.has(contextOf(at)) ? undefined : token));
}

function differenceAt(at: number, template: (string | undefined)[], tokens: string[]): PartDifference {
  const from = Math.max(0, at - CONTEXT);
  const expected = template.slice(from, at + 30).map((token) => token ?? '*');
  return {
    at: '',
    expected: expected.join('') || 'nothing',
    actual: tokens.slice(from, at + 30).join('') || 'nothing',
  };
}
