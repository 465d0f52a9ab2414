/** A text that a value can stand as, and the decoders that undo it, outermost first; `utf-16le` is one of them. */
export interface TextForm {
  text: string;
  decoders: readonly string[];
}

/**
 * All texts that a value can stand as: itself, escaped for JSON, URLs and HTML as encoders do it, and in base64 and hex of
 * its bytes in UTF-8 and UTF-16LE. Each text once, under the shortest chain. What the scan searches for, what the log masks
 * and what is scrubbed all come from here.
 */
export function textForms(value: string): TextForm[] {
  const forms = new Map<string, TextForm>();
  const all = [...writtenForms(value), ...byteForms(Buffer.from(value, 'utf8'), Buffer.from(value, 'utf16le'))];
  for (const form of all) if (form.text.length > 0 && !forms.has(form.text)) forms.set(form.text, form);
  return [...forms.values()];
}

/** The forms that keep the value's letters: itself first, and its escapes. Some may be the same. */
export function writtenForms(value: string): TextForm[] {
  const itself = { text: value, decoders: [] };
  // No encoder changes these.
  if (/^[\w.-]*$/.test(value)) return [itself];
  const all = (texts: string[], decoder: string) => texts.map((text) => ({ text, decoders: [decoder] }));
  return [itself, ...all(jsonForms(value), 'json'), ...all(urlForms(value), 'url'), ...all(htmlForms(value), 'html')];
}

/** The forms of a value's bytes in UTF-8 and in UTF-16LE. Which ones, and how long they are, their lengths alone decide. */
export function byteForms(utf8: Buffer, utf16: Buffer): TextForm[] {
  const formsOf = (bytes: Buffer, inner: readonly string[]): TextForm[] => {
    const hex = bytes.toString('hex');
    const upper = hex.toUpperCase();
    return [
      ...base64Cores(bytes).flatMap((core) => [
        { text: core, decoders: ['base64', ...inner] },
        { text: core.replaceAll('+', '-').replaceAll('/', '_'), decoders: ['base64url', ...inner] },
      ]),
      // The last one is of BitConverter.ToString.
      ...[hex, upper, upper.replaceAll(/..(?!$)/g, '$&-')].map((text) => ({ text, decoders: ['hex', ...inner] })),
    ];
  };
  return [...formsOf(utf8, []), ...formsOf(utf16, ['utf-16le'])];
}

/** What encoders of JSON write as `\uXXXX` for the sake of HTML: none, Go, Newtonsoft, System.Text.Json. */
const JSON_FOR_HTML = ['', '&<>', "&'<>", "&'+<>`"];
/** Half a surrogate pair can't be written as it is. */
const JSON_OTHERS = ['\\ud800-\\udfff', '\\x7f-\\u{10ffff}'];
const JSON_SHORT: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\\': '\\\\',
  '/': '\\/',
};

/**
 * Each of the sets above, with and without what is beyond ASCII, quotes as `\"` and `\u0022`, hex digits in both cases; and
 * slashes as `\/`, which those do that know nothing of HTML (PHP).
 */
function jsonForms(value: string): string[] {
  const forms: string[] = [];
  for (const slash of ['', '/'])
    for (const forHtml of slash === '' ? JSON_FOR_HTML : [''])
      for (const others of JSON_OTHERS) {
        const which = new RegExp(`["\\\\\\0-\\x1f${slash}${forHtml}${others}]`, 'gu');
        for (const quote of ['\\"', '\\u0022'])
          for (const isUpper of [false, true])
            forms.push(
              value.replaceAll(which, (char) =>
                char === '"' ? quote : (JSON_SHORT[char] ?? codeUnits(char, isUpper)),
              ),
            );
      }
  return forms;
}

function codeUnits(char: string, isUpper: boolean): string {
  const units = Array.from({ length: char.length }, (_, index) => char.charCodeAt(index).toString(16).padStart(4, '0'));
  return units.map((unit) => `\\u${isUpper ? unit.toUpperCase() : unit}`).join('');
}

/**
 * What encoders change: encodeURIComponent, Uri.EscapeDataString, URLSearchParams, WebUtility and HttpUtility, encodeURI,
 * PathString. Some write a blank as a plus.
 */
const URL_CHANGES = [
  /[^\w.!~*'()-]/gu,
  /[^\w.~-]/gu,
  /[^\w.*-]/gu,
  /[^\w.!*()-]/gu,
  /[^\w.!~*()-]/gu,
  /[^\w.!~*'();,/?:@&=+$#-]/gu,
  /[^\w.!~*'();,/:@&=+$-]/gu,
];

function urlForms(value: string): string[] {
  const percent = (char: string) => Buffer.from(char, 'utf8').toString('hex').replaceAll(/../g, '%$&');
  return URL_CHANGES.flatMap((changed) =>
    (value.includes(' ') ? ['%20', '+'] : ['%20']).flatMap((blank) => [
      value.replaceAll(changed, (char) => (char === ' ' ? blank : percent(char).toUpperCase())),
      value.replaceAll(changed, (char) => (char === ' ' ? blank : percent(char))),
    ]),
  );
}

const HTML_NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/**
 * Of ASP.NET Core's encoder (`&#x2B;`) for Latin and for all of Unicode, of WebUtility (`&#39;`; others write all beyond
 * ASCII so), of encoders that know five characters, and the least that browsers write, in attributes and in text.
 */
function htmlForms(value: string): string[] {
  const hex = (code: number) => `x${code.toString(16).toUpperCase()}`;
  const written = (changed: RegExp, number: (code: number) => string = String) =>
    value.replaceAll(changed, (char) => HTML_NAMES[char] ?? `&#${number(char.codePointAt(0)!)};`);
  return [
    written(/[&<>"'+\x7f-\u{10ffff}]/gu, hex),
    written(/[&<>"'+`\x7f-\u{10ffff}]/gu, hex),
    written(/[&<>"'+]/g, hex),
    written(/[&<>"'\xa0-\xff\u{10000}-\u{10ffff}]/gu),
    written(/[&<>"'\xa0-\u{10ffff}]/gu),
    written(/[&<>"']/g),
    written(/[&<>"]/g),
    written(/[&<>]/g),
  ];
}

/** The base64 characters that only these bytes decide, for each of the three places they can have in larger ones. */
function base64Cores(bytes: Buffer): string[] {
  return [0, 1, 2].map((shift) => {
    const firstOwn = Math.ceil((shift * 8) / 6);
    const afterOwn = Math.floor(((shift + bytes.length) * 8) / 6);
    return Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(firstOwn, afterOwn);
  });
}
