import type { Answer } from '../model/index.ts';

/** Finds a captured value in an answer; undefined where the answer has none. */
export type Finder = (answer: Pick<Answer, 'headers' | 'body'>) => string | undefined;

/** The forms of a capture's source, for messages. */
export const SOURCE_FORMS = '$.json.path, header:Name or regex:pattern with one (group)';

/**
 * The finder that a capture's source describes: `$.path` into a JSON body, `header:Name`, or `regex:pattern` with one
 * group over the body. Throws an Error whose message says what is expected instead.
 */
export function finderOf(source: string): Finder {
  if (source.startsWith('$')) return jsonFinder(source);
  if (source.startsWith('header:')) return headerFinder(source.slice('header:'.length).trim());
  if (source.startsWith('regex:')) return regexFinder(source.slice('regex:'.length));
  throw new Error(SOURCE_FORMS);
}

const JSON_STEP = /\.([\p{L}_][\p{L}\p{N}_-]*)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]/uy;

function jsonFinder(source: string): Finder {
  const steps: string[] = [];
  JSON_STEP.lastIndex = 1;
  while (JSON_STEP.lastIndex < source.length) {
    const at = JSON_STEP.lastIndex;
    const match = JSON_STEP.exec(source);
    if (!match) throw new Error(`.name, [0] or ['name'] at "${source.slice(at)}"`);
    steps.push((match[1] ?? match[2] ?? match[3] ?? match[4])!);
  }
  return ({ body }) => {
    let value: unknown = parseJson(body);
    for (const step of steps) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
      value = (value as Record<string, unknown>)[step];
    }
    if (value === null || value === undefined) return undefined;
    return typeof value === 'string' ? value : JSON.stringify(value);
  };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(body));
  } catch {
    return undefined;
  }
}

function headerFinder(name: string): Finder {
  if (!/^[\w!#$%&'*+.^`|~-]+$/.test(name)) throw new Error('a header name after header:');
  const key = name.toLowerCase();
  return ({ headers }) => (Object.hasOwn(headers, key) ? headers[key] : undefined);
}

function regexFinder(pattern: string): Finder {
  const groups = countGroups(pattern);
  if (groups !== 1) throw new Error(`exactly one (group) in the pattern, which has ${groups}`);
  const regex = new RegExp(pattern);
  return ({ body }) => regex.exec(textOf(body))?.[1];
}

function countGroups(pattern: string): number {
  try {
    // With an empty alternative every pattern matches, and its match has a place for each group.
    return new RegExp(`${pattern}|`).exec('')!.length - 1;
  } catch (error) {
    throw new Error(`a JavaScript regular expression: ${(error as Error).message}`);
  }
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
}
