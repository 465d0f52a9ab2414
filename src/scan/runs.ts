import type { Finding } from '../model/findings.ts';

/** How the characters of a run are laid out in memory. */
export type Encoding = Finding['encoding'];

/** Told of each run: its text, the index of its first byte, its encoding. */
export type RunVisitor = (text: string, start: number, encoding: Encoding) => void;

/** Shortest run that is told of, in characters; also the shortest known value that is searched for. */
export const MIN_RUN = 8;

/** Which bytes are text: printable ASCII, tab, line feed, carriage return. */
const PRINTABLE = new Uint8Array(256).fill(1, 0x20, 0x7f);
for (const control of [0x09, 0x0a, 0x0d]) PRINTABLE[control] = 1;

/** True where every character is one that a run can hold. */
export function isPrintable(text: string): boolean {
  return /^[\t\n\r\x20-\x7e]*$/.test(text);
}

/**
 * Visits every printable run of at least MIN_RUN characters, as ASCII and as UTF-16LE at both alignments.
 * A run that long covers one of every MIN_RUN positions, so only those are looked at until one is printable.
 */
export function visitRuns(bytes: Buffer, visit: RunVisitor): void {
  visitAscii(bytes, visit);
  visitUtf16(bytes, 0, visit);
  visitUtf16(bytes, 1, visit);
}

function visitAscii(bytes: Buffer, visit: RunVisitor): void {
  const end = bytes.length;
  let probe = MIN_RUN - 1;
  while (probe < end) {
    if (PRINTABLE[bytes[probe]!] === 0) {
      probe += MIN_RUN;
      continue;
    }
    let first = probe;
    while (first > 0 && PRINTABLE[bytes[first - 1]!] === 1) first--;
    let after = probe + 1;
    while (after < end && PRINTABLE[bytes[after]!] === 1) after++;
    if (after - first >= MIN_RUN) visit(bytes.toString('latin1', first, after), first, 'utf-8');
    // The byte at `after` is not printable: the next run starts behind it.
    probe = after + MIN_RUN;
  }
}

function visitUtf16(bytes: Buffer, alignment: 0 | 1, visit: RunVisitor): void {
  const lastHigh = bytes.length - 1;
  let probe = alignment + 2 * (MIN_RUN - 1);
  while (probe < lastHigh) {
    if (bytes[probe + 1] !== 0 || PRINTABLE[bytes[probe]!] === 0) {
      probe += 2 * MIN_RUN;
      continue;
    }
    let first = probe;
    while (first > 1 && bytes[first - 1] === 0 && PRINTABLE[bytes[first - 2]!] === 1) first -= 2;
    let after = probe + 2;
    while (after < lastHigh && bytes[after + 1] === 0 && PRINTABLE[bytes[after]!] === 1) after += 2;
    if (after - first >= 2 * MIN_RUN) visit(bytes.toString('utf16le', first, after), first, 'utf-16le');
    probe = after + 2 * MIN_RUN;
  }
}
