import type { KnownSecret } from '../../model/findings.ts';

/** A text that stands for a known value, and what decodes it. */
export interface Literal {
  text: string;
  /** Index of the known value. */
  secret: number;
  /** Decoders of the encoding chain that come behind the text's own encoding, outermost first. */
  decoders: readonly string[];
}

/** Characters of a value, encoded, that are compared. Longer ones are certain by then, and windows stay small. */
const MAX_LENGTH = 16 * 1024;

/**
 * All texts that a known value can stand in memory as: itself, escaped for JSON, URLs and HTML, and in base64 and hex
 * of its bytes in UTF-8 and UTF-16LE. Each text once, under the shortest chain.
 */
export function literalsOf({ value }: KnownSecret, secret: number): Literal[] {
  const literals = new Map<string, Literal>();
  const add = (text: string, ...decoders: string[]) => {
    const start = text.slice(0, MAX_LENGTH);
    if (start.length > 0 && !literals.has(start)) literals.set(start, { text: start, secret, decoders });
  };
  add(value);
  for (const text of jsonForms(value)) add(text, 'json');
  for (const text of urlForms(value)) add(text, 'url');
  for (const text of htmlForms(value)) add(text, 'html');
  for (const [encoding, inner] of [
    ['utf8', []],
    ['utf16le', ['utf-16le']],
  ] as const) {
    const bytes = Buffer.from(value, encoding);
    for (const core of base64Cores(bytes)) {
      add(core, 'base64', ...inner);
      add(core.replaceAll('+', '-').replaceAll('/', '_'), 'base64url', ...inner);
    }
    const hex = bytes.toString('hex');
    add(hex, 'hex', ...inner);
    add(hex.toUpperCase(), 'hex', ...inner);
    // BitConverter.ToString
    add(hex.toUpperCase().replaceAll(/..(?!$)/g, '$&-'), 'hex', ...inner);
  }
  return [...literals.values()];
}

/**
 * Minimal escapes (Newtonsoft, JSON.stringify), those with every slash escaped, those that leave ASCII only, and those of
 * System.Text.Json, which escapes what HTML knows too and writes hex digits in upper case.
 */
function jsonForms(value: string): string[] {
  const minimal = JSON.stringify(value).slice(1, -1);
  const escaped = (text: string, pattern: RegExp, upper: boolean) =>
    text.replace(pattern, (char) => {
      const digits = char.charCodeAt(0).toString(16).padStart(4, '0');
      return `\\u${upper ? digits.toUpperCase() : digits}`;
    });
  const beyondAscii = /[^\0-\x7e]/g;
  const html = /[&'+<>`]|[^\0-\x7e]/g;
  const withQuotes = minimal.replaceAll('\\"', '\\u0022');
  return [
    minimal,
    minimal.replaceAll('/', '\\/'),
    ...[false, true].flatMap((upper) => [
      escaped(minimal, beyondAscii, upper),
      escaped(withQuotes, html, upper),
      escaped(minimal, /[&'<>]|[^\0-\x7e]/g, upper),
    ]),
  ];
}

/** What the encoders of .NET, browsers and others leave as it is; the form style writes a space as a plus. */
const UNESCAPED: readonly [kept: RegExp, isForm: boolean][] = [
  [/[\w.!~*'()-]/, false],
  [/[\w.~-]/, false],
  [/[\w.*-]/, true],
  [/[\w.!*()-]/, true],
  [/[\w.!~*'();,/?:@&=+$#-]/, false],
];

function urlForms(value: string): string[] {
  return UNESCAPED.flatMap(([kept, isForm]) => {
    const escaped = (char: string) =>
      kept.test(char)
        ? char
        : isForm && char === ' '
          ? '+'
          : Buffer.from(char, 'utf8').toString('hex').replaceAll(/../g, '%$&');
    const lower = Array.from(value, escaped).join('');
    return [lower.replaceAll(/%../g, (escaped) => escaped.toUpperCase()), lower];
  });
}

const HTML_NAMES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Of ASP.NET Core's encoder (`&#x2B;`), of WebUtility (`&#39;`), and the least that browsers write. */
function htmlForms(value: string): string[] {
  const escaped = (others: RegExp, number: (code: number) => string) =>
    Array.from(value, (char) => HTML_NAMES[char] ?? (others.test(char) ? `&#${number(char.codePointAt(0)!)};` : char));
  return [
    escaped(/['+`]|[^\0-\x7e]/, (code) => `x${code.toString(16).toUpperCase()}`),
    escaped(/'|[^\0-\x9f]/, (code) => `${code}`),
    escaped(/(?!)/, String),
  ].map((chars) => chars.join(''));
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
