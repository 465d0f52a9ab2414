/** Shorter forms would match by chance; in characters. */
export const MIN_FORM = 4;

/** All forms in which a value may stand in a line of text, the value itself among them. */
export function formsOf(value: string): string[] {
  const utf8 = Buffer.from(value, 'utf8');
  const utf16 = Buffer.from(value, 'utf16le');
  const url = encodeURIComponent(value);
  const strictUrl = url.replace(/[!'()*]/g, (char) => `%${hex(char, 2).toUpperCase()}`);
  const json = JSON.stringify(value).slice(1, -1);
  const dotnetJson = escaped(json, /\\"|["&'+<>`\u007f-\uffff]/g, (char) => `\\u${hex(char.at(-1)!, 4).toUpperCase()}`);
  const forms = [
    value,
    ...cores(utf8),
    ...cores(utf16),
    utf8.toString('hex'),
    utf8.toString('hex').toUpperCase(),
    ...[url, strictUrl].flatMap((form) => [
      form,
      form.replaceAll('%20', '+'),
      form.replace(/%[\dA-F]{2}/g, (code) => code.toLowerCase()),
    ]),
    json,
    dotnetJson,
    dotnetJson.replace(/\\u[\dA-F]{4}/g, (code) => code.toLowerCase()),
    JSON.stringify(json).slice(1, -1),
    // As browsers' DOM, as ASP.NET's encoder, and as our own Markdown write it.
    escaped(value, /[&<>]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[char]!),
    escaped(value, /[&<>"']/g, (char) => HTML_NAMES[char] ?? `&#${char.charCodeAt(0)};`),
    escaped(value, /[&<>"'+\u007f-\uffff]/g, (char) => HTML_NAMES[char] ?? `&#x${hex(char).toUpperCase()};`),
    escaped(value, /[^\p{L}\p{N} ]/gu, (char) => `&#${char.codePointAt(0)};`),
  ];
  return [...new Set(forms)].filter((form) => form.length >= MIN_FORM);
}

const HTML_NAMES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escaped(text: string, what: RegExp, how: (char: string) => string): string {
  return text.replace(what, how);
}

function hex(char: string, digits = 1): string {
  return char.charCodeAt(0).toString(16).padStart(digits, '0');
}

/** The characters of base64 and base64url that only these bytes decide, for each place that they can have in a larger text. */
function cores(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const shifted = Buffer.concat([Buffer.alloc(shift), bytes]);
    const first = Math.ceil((shift * 8) / 6);
    const end = Math.floor((shifted.length * 8) / 6);
    return (['base64', 'base64url'] as const).map((alphabet) => shifted.toString(alphabet).slice(first, end));
  });
}
