import { describe, expect, test } from 'vitest';
import { literalsOf } from '../../../src/scan/engine/literals.ts';
import { textForms } from '../../../src/scan/forms.ts';
import { scrubForms } from '../../../src/scan/scrubforms.ts';
import { formsOf } from '../../../src/secrets/redactForms.ts';

const VALUES = [
  'Zq/9xT4~k',
  'plainLetters7',
  `a/b~c'd"e<f é+g(h!i j`,
  '"both" & <one>\\ `tick`\r\n\tč 😀 \u2028\u007f\u0001',
  'Host=db;Password=p@ss%20w*rd#1?x=[y]{z}',
];

describe.each(VALUES)('forms of %j', (value) => {
  const texts = textForms(value).map(({ text }) => text);

  test('hold the value first, and each text once', () => {
    expect(texts[0]).toBe(value);
    expect(new Set(texts).size).toBe(texts.length);
  });

  test('that are searched for are masked', () => {
    const masked = new Set(formsOf(value));
    const searched = literalsOf({ name: 'n', value }, 0).map(({ text }) => text);
    expect(searched.filter((text) => !masked.has(text))).toEqual([]);
  });

  test('that are searched for are overwritten at their length, in UTF-8 and UTF-16LE', () => {
    const overwritten = new Map(
      scrubForms(value).map(({ stored, overwrite }) => [stored.toString('hex'), overwrite] as const),
    );
    for (const { text } of literalsOf({ name: 'n', value }, 0))
      for (const encoding of ['utf8', 'utf16le'] as const) {
        const stored = Buffer.from(text, encoding);
        expect(overwritten.get(stored.toString('hex'))?.length, `${encoding} ${text}`).toBe(stored.length);
      }
  });

  test('are what encoders write', () => {
    const json = JSON.stringify(value).slice(1, -1);
    const strict = encodeURIComponent(value).replaceAll(/[!'()*]/g, (char) => `%${hexOf(char, 2)}`);
    expect(texts).toEqual(
      expect.arrayContaining([
        json,
        json.replaceAll('/', '\\/'),
        json.replaceAll(/[<>&]/g, (char) => `\\u${hexOf(char, 4).toLowerCase()}`),
        encodeURIComponent(value),
        encodeURI(value),
        strict,
        new URLSearchParams({ v: value }).toString().slice(2),
        Buffer.from(value).toString('hex').toUpperCase(),
        Buffer.from(value, 'utf16le').toString('hex'),
      ]),
    );
  });
});

test('what .NET writes', () => {
  const value = `a/b~c'd"e<f é+g(h!i j`;
  const texts = textForms(value).map(({ text }) => text);
  const bytes = [...Buffer.from(value)].map((byte) => byte.toString(16).padStart(2, '0').toUpperCase());
  expect(texts).toEqual(
    expect.arrayContaining([
      // JsonSerializer, for all of Unicode, Newtonsoft with EscapeNonAscii and EscapeHtml.
      'a/b~c\\u0027d\\u0022e\\u003Cf \\u00E9\\u002Bg(h!i j',
      'a/b~c\\u0027d\\u0022e\\u003Cf é\\u002Bg(h!i j',
      'a/b~c\'d\\"e<f \\u00e9+g(h!i j',
      'a/b~c\\u0027d\\u0022e\\u003cf é+g(h!i j',
      // Uri.EscapeDataString, WebUtility.UrlEncode, HttpUtility.UrlEncode, PathString.
      'a%2Fb~c%27d%22e%3Cf%20%C3%A9%2Bg%28h%21i%20j',
      'a%2Fb%7Ec%27d%22e%3Cf+%C3%A9%2Bg(h!i+j',
      'a%2fb%7ec%27d%22e%3cf+%c3%a9%2bg(h!i+j',
      "a/b~c'd%22e%3Cf%20%C3%A9+g(h!i%20j",
      // HtmlEncoder, WebUtility.HtmlEncode.
      'a/b~c&#x27;d&quot;e&lt;f &#xE9;&#x2B;g(h!i j',
      'a/b~c&#39;d&quot;e&lt;f &#233;+g(h!i j',
      bytes.join('-'),
    ]),
  );
});

function hexOf(char: string, digits: number): string {
  return char.charCodeAt(0).toString(16).padStart(digits, '0').toUpperCase();
}
