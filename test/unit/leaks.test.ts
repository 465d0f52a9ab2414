import { expect, test } from 'vitest';
import { leaksIn, leaksInAll } from '../harness/leaks.ts';
import { Random } from './scan/random.ts';

const random = new Random(11);
const value = `${random.password(22, '"\'+&<>\\/%=;`')} é`;
const html = (others: RegExp, radix: 10 | 16) =>
  value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll(others, (char) => `&#${radix === 16 ? 'x' : ''}${char.charCodeAt(0).toString(radix).toUpperCase()};`);
const leaks = (content: string | Buffer) => leaksIn(Buffer.from(content as string), { key: value });

test.each<[string, string | Buffer]>([
  ['UTF-8', `before ${value} after`],
  ['a piece of it', `cut ${value.slice(3, 11)} off`],
  ['UTF-16LE', Buffer.from(`x${value}`, 'utf16le')],
  ['UTF-16LE', Buffer.concat([Buffer.from('x'), Buffer.from(value, 'utf16le')])],
  ['base64', Buffer.from(value).toString('base64')],
  ['base64', Buffer.from(`a${value}`).toString('base64')],
  ['base64', Buffer.from(`ab${value}`).toString('base64url')],
  ['base64 of UTF-16LE', Buffer.from(`a${value}b`, 'utf16le').toString('base64')],
  ['base64 in UTF-16LE', Buffer.from(Buffer.from(value).toString('base64'), 'utf16le')],
  ['hex', Buffer.from(value).toString('hex').toUpperCase()],
  [
    'hex with dashes',
    Buffer.from(value)
      .toString('hex')
      .toUpperCase()
      .replaceAll(/..(?!$)/g, '$&-'),
  ],
  ['hex of UTF-16LE', Buffer.from(value, 'utf16le').toString('hex')],
  ['URL of encodeURI', encodeURI(value)],
  [
    'form of WebUtility',
    encodeURIComponent(value).replaceAll("'", '%27').replaceAll('~', '%7E').replaceAll('%20', '+'),
  ],
  ['form of URLSearchParams', new URLSearchParams({ key: value }).toString()],
  ['URL', encodeURIComponent(value)],
  ['form', encodeURIComponent(value).replaceAll('%20', '+').replaceAll("'", '%27').toLowerCase()],
  ['JSON', JSON.stringify({ text: `a ${value}` })],
  ['JSON with \\/', `"${JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/')}"`],
  ['JSON beyond ASCII', JSON.stringify(value).replace('é', '\\u00E9')],
  ['JSON of JSON', JSON.stringify({ body: JSON.stringify({ text: value }) })],
  ['HTML of HtmlEncoder', `<p>${html(/['+é]/g, 16)}</p>`],
  ['HTML', `<p>${html(/'/g, 10)}</p>`],
  ['HTML of WebUtility', `<p>${html(/['é]/g, 10)}</p>`],
])('%s is a leak', (encoding, content) => {
  expect(leaks(content)).toContain(`key: ${encoding}`);
});

test('two characters of a value, its length and its hash are none', () => {
  expect(leaks(`${value.slice(0, 2)}…, ${value.length} characters, 0123456789ab`)).toEqual([]);
});

test('places are named, and their names looked at', () => {
  const places = new Map([
    ['log', Buffer.from(value)],
    [`/tmp/${value}`, Buffer.alloc(0)],
  ]);
  expect(leaksInAll(places, { key: value })).toEqual(
    expect.arrayContaining(['log: key: UTF-8', 'the name of a file: key: UTF-8']),
  );
});
