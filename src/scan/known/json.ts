/** The deepest member of a JSON document that is looked at. */
const MAX_DEPTH = 32;

/** One value of a JSON document, and its place in .NET's notation: `Jwt:Keys:0`. */
export interface JsonEntry {
  key: string;
  value: string;
}

/** All texts and numbers of a JSON value, with their places. */
export function jsonEntries(value: unknown, key = '', depth = 0): JsonEntry[] {
  if (typeof value === 'string') return [{ key, value }];
  if (typeof value === 'number') return [{ key, value: String(value) }];
  if (typeof value !== 'object' || value === null || depth === MAX_DEPTH) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    jsonEntries(member, key === '' ? name : `${key}:${name}`, depth + 1),
  );
}

/** A JSON document as .NET's configuration reads it: comments and trailing commas are allowed. Undefined for none. */
export function parseJson(text: string): unknown {
  for (const candidate of [text, withoutComments(text)]) {
    try {
      return JSON.parse(candidate.replace(/^\uFEFF/, ''));
    } catch {
      // The next one, if any.
    }
  }
  return undefined;
}

/** Texts stay as they are, whatever they hold; comments and commas before a closing bracket go. */
function withoutComments(text: string): string {
  return text
    .replace(/("(?:[^"\\]|\\.)*")|\/\/[^\r\n]*|\/\*[\s\S]*?\*\//g, (_match, quoted: string | undefined) => quoted ?? '')
    .replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_match, quoted: string | undefined) => quoted ?? '');
}
