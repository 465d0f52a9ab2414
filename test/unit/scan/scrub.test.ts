import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scrubFiles } from '../../../src/scan/scrub.ts';
import { scrubForms } from '../../../src/scan/scrubforms.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Every kind of character that some encoding writes otherwise. */
const secret = `${randomBytes(9).toString('hex')} +/&"ü<'%!`;

const encodings: Record<string, (text: string) => string | Buffer> = {
  'utf-8': (text) => text,
  'utf-16le': (text) => Buffer.from(text, 'utf16le'),
  base64: (text) => Buffer.from(text).toString('base64'),
  'base64 after one byte': (text) => Buffer.from(`:${text}`).toString('base64'),
  'base64url after two bytes': (text) => Buffer.from(`a:${text}z`).toString('base64url'),
  'base64 in UTF-16LE': (text) => Buffer.from(Buffer.from(text).toString('base64'), 'utf16le'),
  'base64 of UTF-16LE': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  hex: (text) => Buffer.from(text).toString('hex'),
  'upper-case hex': (text) => Buffer.from(text).toString('hex').toUpperCase(),
  'hex with dashes': (text) =>
    Buffer.from(text)
      .toString('hex')
      .toUpperCase()
      .replaceAll(/..(?!$)/g, '$&-'),
  encodeURI: (text) => encodeURI(text),
  'a form of WebUtility': (text) => new URLSearchParams({ v: text }).toString().slice(2).replaceAll('%21', '!'),
  html: (text) =>
    text.replaceAll(
      /[&<'"+ü]/g,
      (letter) =>
        ({ '&': '&amp;', '<': '&lt;', '"': '&quot;' })[letter] ??
        `&#x${letter.charCodeAt(0).toString(16).toUpperCase()};`,
    ),
  'json with \\" and other escapes': (text) =>
    JSON.stringify(text)
      .slice(1, -1)
      .replaceAll(/[&'<ü]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`),
  url: (text) => encodeURIComponent(text),
  'a form': (text) => new URLSearchParams({ v: text }).toString().slice(2),
  'lower-case url': (text) => encodeURIComponent(text).replaceAll(/%../g, (code) => code.toLowerCase()),
  json: (text) => JSON.stringify(text).slice(1, -1),
  // What System.Text.Json writes unless it is told otherwise.
  'json with all escapes': (text) =>
    text.replaceAll(/["&'+<>ü]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`),
};

test.each(Object.keys(encodings))('%s is overwritten at the same length', async (name) => {
  const stored = Buffer.from(encodings[name]!(secret) as string);
  const [before, after] = [randomBytes(33), randomBytes(20)];
  await writeFile(join(folder, 'pages-1.img'), Buffer.concat([before, stored, after]));
  const scrubbed = await scrubFiles(folder, [{ name: 'environment KEY', value: secret }]);
  const written = await readFile(join(folder, 'pages-1.img'));
  expect(written.length).toBe(before.length + stored.length + after.length);
  expect(written.subarray(0, before.length)).toEqual(before);
  expect(written.subarray(before.length + stored.length)).toEqual(after);
  for (const { stored: form } of scrubForms(secret)) expect(written.includes(form)).toBe(false);
  expect(scrubbed).toEqual(new Map([['environment KEY', 1]]));
});

test('what base64 holds beside the value can still be read', async () => {
  const plain = randomBytes(8).toString('hex');
  await writeFile(join(folder, 'a.img'), Buffer.from(`user:${plain}:end`).toString('base64'));
  await scrubFiles(folder, [{ name: 'a', value: plain }]);
  const decoded = Buffer.from(await readFile(join(folder, 'a.img'), 'latin1'), 'base64').toString('latin1');
  expect(decoded).toMatch(/^user:.x{14}.:end$/s);
});

describe('copies', () => {
  const value = randomBytes(12).toString('hex');
  const all = Buffer.concat([Buffer.from(value), Buffer.from(value, 'utf16le')]);

  test('are found wherever chunks of reading end, and in every file', async () => {
    const file = Buffer.alloc(9 << 20, 1);
    const places = [0, (4 << 20) - 7, (4 << 20) + 100, (8 << 20) - 1, file.length - all.length];
    for (const at of places) all.copy(file, at);
    await mkdir(join(folder, 'more'));
    await writeFile(join(folder, 'pages-1.img'), file);
    await writeFile(join(folder, 'more', 'small.img'), value);
    await writeFile(join(folder, 'empty.img'), '');
    const scrubbed = await scrubFiles(folder, [{ name: 'a', value }]);
    expect(scrubbed.get('a')).toBe(2 * places.length + 1);
    const written = await readFile(join(folder, 'pages-1.img'));
    expect(written.includes(value)).toBe(false);
    expect(written.includes(Buffer.from(value, 'utf16le'))).toBe(false);
    for (const at of places) all.fill(1).copy(written, at);
    expect(written.every((byte) => byte === 1)).toBe(true);
    expect(await readFile(join(folder, 'more', 'small.img'), 'latin1')).toBe('x'.repeat(value.length));
  });

  test('of nothing are none', async () => {
    await writeFile(join(folder, 'a.img'), 'nothing');
    expect((await scrubFiles(folder, [])).size).toBe(0);
    expect((await scrubFiles(folder, [{ name: 'a', value }])).size).toBe(0);
    expect(await readFile(join(folder, 'a.img'), 'latin1')).toBe('nothing');
  });
});
