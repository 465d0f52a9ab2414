import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Characters of a value that nobody may see in a row; two are shown as the preview of a finding. */
const PIECE = 8;

/**
 * How much of which values is in what somebody can read: a line for each form found, with the name of the value. Looked
 * for are pieces of the value as it is, and the whole value in every encoding that a scan knows, also inside of other
 * base64.
 */
export function leaksIn(content: Buffer, values: Record<string, string>): string[] {
  const lowered = (bytes: Buffer) => Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1');
  const lower = lowered(content);
  return Object.entries(values).flatMap(([name, value]) => [
    ...piecesOf(value)
      .filter((piece) => content.includes(piece))
      .slice(0, 1)
      .map(() => `${name}: a piece of it`),
    ...formsOf(value)
      .filter(([, form]) => content.includes(form))
      .map(([encoding]) => `${name}: ${encoding}`),
    // Hex digits and those of %XX and \u00XX come in both cases.
    ...anyCaseFormsOf(value)
      .filter(([, form]) => lower.includes(lowered(Buffer.from(form))))
      .map(([encoding]) => `${name}: ${encoding}`),
  ]);
}

/** {@link leaksIn} of many places, each line with its place; of files the path is looked at too. */
export function leaksInAll(places: ReadonlyMap<string, Buffer>, values: Record<string, string>): string[] {
  return [...places].flatMap(([place, content]) => [
    ...leaksIn(content, values).map((leak) => `${place}: ${leak}`),
    ...leaksIn(Buffer.from(place), values).map((leak) => `the name of a file: ${leak}`),
  ]);
}

/** All files in a folder by path. */
export async function contentsOf(folder: string, except = /^$/): Promise<Map<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const wanted = files.filter((file) => !except.test(file));
  return new Map(await Promise.all(wanted.map(async (file) => [file, await readFile(file)] as const)));
}

function piecesOf(value: string): string[] {
  return Array.from({ length: Math.max(1, value.length - PIECE + 1) }, (_, at) => value.slice(at, at + PIECE));
}

function formsOf(value: string): (readonly [encoding: string, form: Buffer])[] {
  const utf8 = Buffer.from(value, 'utf8');
  const utf16 = Buffer.from(value, 'utf16le');
  return [
    ['UTF-8', utf8] as const,
    ['UTF-16LE', utf16] as const,
    ['JSON', Buffer.from(JSON.stringify(value).slice(1, -1))] as const,
    ['JSON with \\/', Buffer.from(JSON.stringify(value).slice(1, -1).replaceAll('/', '\\/'))] as const,
    ['JSON of JSON', Buffer.from(JSON.stringify(JSON.stringify(value)).slice(3, -3))] as const,
    ...base64Cores(utf8).map((core) => ['base64', core] as const),
    ...base64Cores(utf16).map((core) => ['base64 of UTF-16LE', core] as const),
    ...base64Cores(utf8).map((core) => ['base64 in UTF-16LE', Buffer.from(core.toString(), 'utf16le')] as const),
  ];
}

function anyCaseFormsOf(value: string): (readonly [encoding: string, form: string])[] {
  const percent = encodeURIComponent(value);
  const hex = (encoding: BufferEncoding) => Buffer.from(value, encoding).toString('hex');
  const dashed = (text: string) => text.match(/../g)?.join('-') ?? '';
  const json = JSON.stringify(value).slice(1, -1);
  const coded = (text: string, which: RegExp) =>
    text.replaceAll(which, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  const htmlOf = (which: RegExp, code: (char: string) => string) =>
    Array.from(value, (char) => names[char] ?? (which.test(char) ? `&#${code(char)};` : char)).join('');
  const decimal = (char: string) => `${char.codePointAt(0)}`;
  const hexadecimal = (char: string) => `x${char.codePointAt(0)!.toString(16)}`;
  return [
    ['hex', hex('utf8')],
    ['hex of UTF-16LE', hex('utf16le')],
    ['hex with dashes', dashed(hex('utf8'))],
    ['hex of UTF-16LE with dashes', dashed(hex('utf16le'))],
    ['URL', percent],
    ['URL of Uri.EscapeDataString', strictly(percent, /[!'()*]/g)],
    ['URL of encodeURI', encodeURI(value)],
    ['form', percent.replaceAll('%20', '+').replaceAll("'", '%27')],
    ['form of WebUtility', strictly(percent, /['~]/g).replaceAll('%20', '+')],
    ['form of URLSearchParams', new URLSearchParams({ v: value }).toString().slice(2)],
    ['JSON beyond ASCII', coded(json, /[\u007f-\uffff]/g)],
    ['JSON of System.Text.Json', coded(json, /[&'+<>`]/g)],
    ['JSON of System.Text.Json', coded(json.replaceAll('\\"', '\\u0022'), /[&'+<>`]|[\u007f-\uffff]/g)],
    ['HTML', htmlOf(/'/, decimal)],
    ['HTML', htmlOf(/(?!)/, decimal)],
    ['HTML of WebUtility', htmlOf(/['\u00a0-\u00ff]/, decimal)],
    ['HTML of HtmlEncoder', htmlOf(/['+]|[^\0-\x7e]/u, hexadecimal)],
  ];
}

function strictly(percent: string, more: RegExp): string {
  return percent.replaceAll(more, (char) => `%${char.charCodeAt(0).toString(16)}`);
}

/** What only the value decides of the base64 of a longer text, for the three places that it can have there. */
function base64Cores(bytes: Buffer): Buffer[] {
  return [0, 1, 2].flatMap((shift) => {
    const from = Math.ceil((shift * 8) / 6);
    const to = Math.floor(((shift + bytes.length) * 8) / 6);
    const core = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .slice(from, to);
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')].map((text) => Buffer.from(text));
  });
}
