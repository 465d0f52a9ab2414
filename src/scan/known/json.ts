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

/** Texts stay as they are, whatever they hold; comments and commas before a closing bracket go. Goes over it once. */
function withoutComments(text: string): string {
  const kept: string[] = [];
  /** Index of a comma in `kept` that nothing but blanks has followed yet. */
  let comma = -1;
  for (let at = 0; at < text.length; ) {
    const end = endOfToken(text, at);
    const token = text.slice(at, end);
    at = end;
    if (token.startsWith('//') || token.startsWith('/*')) continue;
    if (comma >= 0 && (token === '}' || token === ']')) kept[comma] = '';
    if (token === ',') comma = kept.length;
    else if (token.trim() !== '') comma = -1;
    kept.push(token);
  }
  return kept.join('');
}

/** Where a text, a comment, or what is neither, ends that begins at `at`. */
function endOfToken(text: string, at: number): number {
  const after = (end: number, length: number) => (end < 0 ? text.length : end + length);
  if (text.startsWith('//', at)) {
    const line = /[\r\n]/g;
    line.lastIndex = at;
    return line.exec(text)?.index ?? text.length;
  }
  if (text.startsWith('/*', at)) return after(text.indexOf('*/', at + 2), 2);
  if (text[at] !== '"') return at + 1;
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === '\\') end++;
    else if (text[end] === '"') return end + 1;
  }
  return text.length;
}
