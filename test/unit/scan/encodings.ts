import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

/** A way in which a value can lie in memory. */
export interface Encoding {
  name: string;
  /** How the scan calls it, outermost first; see src/scan/engine/hit.ts. */
  chain: string;
  /** Only text can be written so, as JSON for one. */
  textOnly?: true;
  store(plain: Buffer): Buffer;
}

/** What surrounds a value in an answer, so that there is something to compress. */
const PAGE =
  '<!DOCTYPE html><html lang="en"><head><title>Orders</title></head><body><h1>Orders</h1><p>There are no orders that wait for the payment.</p>';

const utf8 = (text: string) => Buffer.from(text, 'utf8');
const utf16 = (text: Buffer | string) => Buffer.from(text.toString('utf8'), 'utf16le');

/** `HttpUtility.UrlEncode`, as forms are sent: spaces as `+`, hex digits in lower case. */
const form = (plain: Buffer) =>
  encodeURIComponent(plain.toString('utf8'))
    .replaceAll("'", '%27')
    .replaceAll('%20', '+')
    .replaceAll(/%[0-9A-F]{2}/g, (octet) => octet.toLowerCase());

/** The text of a JSON string as `JsonSerializer` writes it by default. */
function systemTextJson(text: string): string {
  const escaped = (character: string) => `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
  return JSON.stringify(text)
    .slice(1, -1)
    .replaceAll('\\"', escaped('"'))
    .replaceAll(/[&'+<>`]|[^\0-\x7e]/g, escaped);
}

const member = (text: string) => `{"id":17,"value":"${text}"}`;
const minimalJson = (plain: Buffer) => JSON.stringify({ id: 17, value: plain.toString('utf8') });

function answer(encoding: string, body: Buffer): Buffer {
  return Buffer.concat([
    utf8(
      `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: ${encoding}\r\nContent-Length: ${body.length}\r\n\r\n`,
    ),
    body,
  ]);
}

function chunked(encoding: string, body: Buffer): Buffer {
  const half = body.length >> 1;
  const chunks = [body.subarray(0, half), body.subarray(half)].map((chunk) => [
    utf8(`${chunk.length.toString(16)}\r\n`),
    chunk,
    utf8('\r\n'),
  ]);
  return Buffer.concat([
    utf8(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ntransfer-encoding: chunked\r\n\r\n`),
    ...chunks.flat(),
    utf8('0\r\n\r\n'),
  ]);
}

const page = (plain: Buffer) => Buffer.concat([utf8(PAGE), utf8('\n'), plain, utf8('\n</body></html>\n')]);
const base64 = (plain: Buffer) => plain.toString('base64');
const hex = (plain: Buffer) => plain.toString('hex');
const url = (text: string) => utf8(encodeURIComponent(text));

/** Everything that the scan undoes, alone and in the chains that apps make of it. */
export const ENCODINGS: readonly Encoding[] = [
  { name: 'as it is', chain: 'utf-8', store: (plain) => plain },
  { name: 'UTF-16LE', chain: 'utf-16le', textOnly: true, store: utf16 },
  { name: 'base64', chain: 'utf-8 > base64', store: (plain) => utf8(base64(plain)) },
  { name: 'base64url', chain: 'utf-8 > base64url', store: (plain) => utf8(plain.toString('base64url')) },
  { name: 'hex', chain: 'utf-8 > hex', store: (plain) => utf8(hex(plain)) },
  { name: 'hex in upper case', chain: 'utf-8 > hex', store: (plain) => utf8(hex(plain).toUpperCase()) },
  { name: 'URL', chain: 'utf-8 > url', textOnly: true, store: (plain) => url(plain.toString('utf8')) },
  { name: 'form', chain: 'utf-8 > url', textOnly: true, store: (plain) => utf8(form(plain)) },
  { name: 'JSON', chain: 'utf-8 > json', textOnly: true, store: (plain) => utf8(minimalJson(plain)) },
  {
    name: 'JSON of System.Text.Json',
    chain: 'utf-8 > json',
    textOnly: true,
    store: (plain) => utf8(member(systemTextJson(plain.toString('utf8')))),
  },
  { name: 'gzip', chain: 'gzip > utf-8', store: (plain) => gzipSync(page(plain)) },
  { name: 'br by its header', chain: 'br > utf-8', store: (plain) => answer('br', brotliCompressSync(page(plain))) },
  { name: 'br in chunks', chain: 'br > utf-8', store: (plain) => chunked('br', brotliCompressSync(page(plain))) },
  {
    name: 'deflate by its header',
    chain: 'deflate > utf-8',
    store: (plain) => answer('deflate', deflateSync(page(plain))),
  },
  {
    name: 'base64 of JSON',
    chain: 'utf-8 > base64 > json',
    textOnly: true,
    store: (plain) => utf8(base64(utf8(minimalJson(plain)))),
  },
  { name: 'URL of base64', chain: 'utf-8 > url > base64', store: (plain) => url(base64(plain)) },
  {
    name: 'JSON of JSON',
    chain: 'utf-8 > json > json',
    textOnly: true,
    store: (plain) => utf8(JSON.stringify({ body: minimalJson(plain) })),
  },
  {
    name: 'JSON of System.Text.Json of base64',
    chain: 'utf-8 > json > base64',
    store: (plain) => utf8(member(systemTextJson(base64(plain)))),
  },
  {
    name: 'base64 of UTF-16LE',
    chain: 'utf-8 > base64 > utf-16le',
    textOnly: true,
    store: (plain) => utf8(base64(utf16(plain))),
  },
  { name: 'base64 of base64', chain: 'utf-8 > base64 > base64', store: (plain) => utf8(base64(utf8(base64(plain)))) },
  {
    name: 'base64 of gzip',
    chain: 'utf-8 > base64 > gzip > utf-8',
    store: (plain) => utf8(base64(gzipSync(page(plain)))),
  },
  { name: 'base64 in UTF-16LE', chain: 'utf-16le > base64', store: (plain) => utf16(base64(plain)) },
  { name: 'hex in UTF-16LE', chain: 'utf-16le > hex', store: (plain) => utf16(hex(plain)) },
  {
    name: 'URL in UTF-16LE',
    chain: 'utf-16le > url',
    textOnly: true,
    store: (plain) => utf16(url(plain.toString('utf8'))),
  },
  {
    name: 'JSON of System.Text.Json in UTF-16LE',
    chain: 'utf-16le > json',
    textOnly: true,
    store: (plain) => utf16(member(systemTextJson(plain.toString('utf8')))),
  },
  {
    name: 'JSON of base64 in UTF-16LE',
    chain: 'utf-16le > json > base64',
    store: (plain) => utf16(member(systemTextJson(base64(plain)))),
  },
  {
    name: 'base64 behind a path',
    chain: 'utf-8 > base64',
    store: (plain) => utf8(`/api/v1/import/${base64(plain)}`),
  },
];
