import { randomBytes } from 'node:crypto';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { missingCanaries, plantCanaries } from '../../../../src/scan/canaries.ts';
import { inNoise, randomToken, searchBytes, sha256 } from './harness.ts';

type Encoder = (bytes: Buffer) => Buffer;

const utf16: Encoder = (bytes) => Buffer.from(bytes.toString(), 'utf16le');
const base64: Encoder = (bytes) => Buffer.from(bytes.toString('base64'));
const base64url: Encoder = (bytes) => Buffer.from(bytes.toString('base64url'));
const hex: Encoder = (bytes) => Buffer.from(bytes.toString('hex'));
const url: Encoder = (bytes) => Buffer.from(bytes.toString('hex').replaceAll(/../g, '%$&'));
const json: Encoder = (bytes) =>
  Buffer.from(bytes.toString().replaceAll(/./gs, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`));
const head = (encoding: string, more = '') =>
  Buffer.from(`HTTP/1.1 200 OK\r\nContent-Encoding: ${encoding}\r\n${more}\r\n`);
const chunked: Encoder = (bytes) =>
  Buffer.concat([
    ...[bytes.subarray(0, 20), bytes.subarray(20)].flatMap((chunk) => [
      Buffer.from(`${chunk.length.toString(16)}\r\n`),
      chunk,
      Buffer.from('\r\n'),
    ]),
    Buffer.from('0\r\n\r\n'),
  ]);
const respond =
  (encoding: string, compress: Encoder): Encoder =>
  (bytes) =>
    Buffer.concat([head(encoding), compress(bytes)]);
const respondInChunks =
  (encoding: string, compress: Encoder): Encoder =>
  (bytes) =>
    Buffer.concat([head(encoding, 'Transfer-Encoding: chunked\r\n'), chunked(compress(bytes))]);

/** How a text can be stored, in the order of encoding, and the chain that is told. */
const STORED = (
  [
    ['utf-8'],
    ['utf-16le', utf16],
    ['utf-8 > base64', base64],
    ['utf-8 > hex', hex],
    ['utf-8 > url', url],
    ['utf-8 > json', json],
    ['utf-16le > base64', base64, utf16],
    ['utf-16le > json', json, utf16],
    ['utf-8 > base64 > utf-16le', utf16, base64],
    ['utf-8 > hex > utf-16le', utf16, hex],
    ['utf-8 > base64 > base64', base64, base64],
    ['utf-8 > hex > base64', base64, hex],
    ['utf-8 > base64 > hex', hex, base64],
    ['utf-8 > url > json', json, url],
    ['utf-8 > json > json', json, json],
    ['utf-8 > base64 > json', json, base64],
    ['utf-16le > url > base64', base64, url, utf16],
    ['gzip > utf-8', gzipSync],
    ['gzip > utf-16le', utf16, gzipSync],
    ['gzip > gzip > utf-8', gzipSync, gzipSync],
    ['gzip > utf-8 > base64', base64, gzipSync],
    ['gzip > utf-8 > base64 > json', json, base64, gzipSync],
    ['utf-8 > base64 > gzip > utf-8', gzipSync, base64],
    ['utf-8 > hex > gzip > utf-8 > base64', base64, gzipSync, hex],
    ['br > utf-8', respond('br', brotliCompressSync)],
    ['br > utf-8 > base64', base64, respond('br', brotliCompressSync)],
    ['deflate > utf-8', respond('deflate', deflateSync)],
    ['deflate > utf-8', respond('deflate', deflateRawSync)],
    ['br > utf-8', respondInChunks('br', brotliCompressSync)],
    ['gzip > utf-8', respondInChunks('gzip', gzipSync)],
  ] as [string, ...Encoder[]][]
).map(([chain, ...encoders]) => ({ chain, encoders }));

function encode(text: string, encoders: Encoder[]): Buffer {
  return encoders.reduce<Buffer>((bytes, encoder) => encoder(bytes), Buffer.from(text));
}

describe('encodings', () => {
  it.each(STORED)('finds what a rule matches in $chain', async ({ chain, encoders }) => {
    // Compressed text must be compressible, or it is merely stored.
    const text = (secret: string) =>
      `${'{"greeting": "hello, hello"} '.repeat(20)} value=${secret} ${'and '.repeat(20)}`;
    const token = randomToken();
    const stored = encode(text(token), encoders);
    const hits = await searchBytes(inNoise(stored, 101));
    expect(hits).toHaveLength(1);
    expect(hits[0]).toMatchObject({
      ruleId: 'token',
      encoding: chain,
      sha256: sha256(token),
      length: 36,
      start: 'to',
      count: 1,
    });
  });

  it.each(STORED)('finds a known value in $chain', async ({ chain, encoders }) => {
    // Neither ASCII nor, as UTF-8 and UTF-16, the same. What compresses has to be compressible.
    const value = `q&"<>${randomBytes(9).toString('base64')}+/é 7`;
    const text = `${'hello '.repeat(20)}${value}${value}${value}${' and '.repeat(20)}`;
    const stored = encode(text, encoders);
    const hits = await searchBytes(inNoise(stored), { known: [{ name: 'input KEY', value }] });
    expect(hits.map((hit) => hit.encoding)).toEqual([chain]);
    expect(hits[0]).toMatchObject({ ruleId: 'known-value', description: 'input KEY', sha256: sha256(value) });
  });

  it('finds base64url by its alphabet, in all alignments and behind letters and slashes', async () => {
    for (let shift = 0; shift < 4; shift++) {
      const token = randomToken();
      const stored = `${'x'.repeat(shift)}/${base64url(Buffer.from(`???>>>${token}???>>>`))}`.replaceAll(
        '/',
        shift % 2 ? '_' : '',
      );
      const [hit, ...more] = await searchBytes(inNoise(stored));
      expect(more).toEqual([]);
      expect(hit).toMatchObject({ encoding: 'utf-8 > base64url', sha256: sha256(token) });
    }
  });

  it.each(['\n', '\r\n'])('finds base64 in lines (%j)', async (lineBreak) => {
    const token = randomToken();
    const text = `${'lorem ipsum '.repeat(30)}${token}${' dolor sit'.repeat(20)}`;
    const stored = base64(Buffer.from(text)).toString().replaceAll(/.{76}/g, `$&${lineBreak}`);
    expect(await searchBytes(inNoise(stored))).toMatchObject([
      { encoding: 'utf-8 > base64', sha256: sha256(token), count: 1 },
    ]);
  });

  it('tells where the encoded form begins and how long it is', async () => {
    const token = randomToken();
    const stored = `"${base64(Buffer.from(`abc${token}xyz`))}"`;
    const [hit] = await searchBytes(inNoise(stored, 200));
    expect(hit).toMatchObject({ offset: 200 + 1 + 4, bytes: 48 });
    const [wide] = await searchBytes(inNoise(utf16(hex(Buffer.from(`ab${token}`))), 333));
    expect(wide).toMatchObject({ offset: 333 + 8, bytes: 36 * 4 });
    const packed = gzipSync(Buffer.from(`abc ${token} xyz`));
    expect((await searchBytes(inNoise(packed, 77)))[0]).toMatchObject({ offset: 77, bytes: packed.length - 8 });
  });

  it('tells once what can be come upon in several ways', async () => {
    const token = randomToken();
    const text = `a%20b \\n {"x":"${token}"}`;
    expect(await searchBytes(inNoise(text))).toMatchObject([{ encoding: 'utf-8', count: 1 }]);
    expect(await searchBytes(inNoise(`${text} ${text}`))).toMatchObject([{ encoding: 'utf-8', count: 2 }]);
  });

  it('finds every canary', async () => {
    const { planted, bytes } = plantCanaries();
    expect(missingCanaries(planted, await searchBytes(bytes))).toEqual([]);
  });

  it.each([
    [
      'Uri.EscapeDataString',
      (v: string) => encodeURIComponent(v).replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`),
    ],
    [
      'a form in lower case',
      (v: string) =>
        new URLSearchParams({ v })
          .toString()
          .slice(2)
          .replaceAll(/%../g, (e) => e.toLowerCase()),
    ],
    [
      'System.Text.Json',
      (v: string) =>
        JSON.stringify(v)
          .slice(1, -1)
          .replaceAll('\\"', '\\u0022')
          .replaceAll(/[&'+<>`ü]/g, (c) => `\\u${c.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`),
    ],
    ['Newtonsoft', (v: string) => JSON.stringify(v)],
    [
      'HtmlEncoder',
      (v: string) =>
        v.replaceAll(
          /[&<>"'+ü]/g,
          (c) =>
            ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ??
            `&#x${c.charCodeAt(0).toString(16).toUpperCase()};`,
        ),
    ],
  ])('finds a known value as %s writes it', async (_name, encode) => {
    const value = `p"a&s's<w>o+r/d ü${randomBytes(6).toString('hex')}`;
    const stored = Buffer.from(`x=${encode(value)};`);
    for (const bytes of [stored, Buffer.from(stored.toString(), 'utf16le')]) {
      const hits = await searchBytes(inNoise(bytes), { known: [{ name: 'n', value }] });
      expect(hits.map((hit) => hit.count)).toEqual([1]);
    }
  });
});
