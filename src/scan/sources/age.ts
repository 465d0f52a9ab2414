import { setImmediate } from 'node:timers/promises';
import { memoryIn, objectAround, type TextObject, textTypes } from './objects.ts';
import { pieceAt } from './pieces.ts';
import type { ScannedFile, Source } from './source.ts';
import { readerOf } from './stored.ts';

/** Whether something in the process still points to the object, or a garbage collection would take it. */
type Age = 'live' | 'garbage';

/** A text in a scanned file. */
export interface TextAt {
  file: string;
  /** Byte offset in it. */
  offset: number;
  /** Bytes of the stored form. */
  bytes: number;
}

/** Bytes read at a time. */
const WINDOW = 4 * 1024 * 1024;

/**
 * Of texts in .NET objects (string, char[], byte[], or what is left of one), whether any word in the process's pages or
 * registers points to the object: a hint whether the app holds the secret, or a request of the past left it behind. An
 * object that only other garbage points to counts as live. Undefined for all other texts.
 * Reads the pages of each process concerned once. Throws DS4002 where they can't be read.
 */
export async function agesOf(
  source: Pick<Source, 'files' | 'memoryOf' | 'placeOf'>,
  texts: readonly TextAt[],
): Promise<(Age | undefined)[]> {
  const ages: (Age | undefined)[] = texts.map(() => undefined);
  for (const file of source.files) {
    const process = source.memoryOf?.(file.name);
    if (process === undefined || !texts.some((text) => text.file === file.name)) continue;
    const found = objectsIn(source, file, texts, process.stringType);
    const pointedTo = await pointedToIn(file, [...new Set(found.values())], process.registers);
    for (const [at, object] of found) ages[at] = pointedTo.has(object) ? 'live' : 'garbage';
  }
  return ages;
}

/** The objects around the texts that lie in `file`, by index of the text; one for texts in the same object. */
function objectsIn(
  source: Pick<Source, 'placeOf'>,
  file: ScannedFile,
  texts: readonly TextAt[],
  stringType: bigint | undefined,
): Map<number, TextObject> {
  const found = new Map<number, TextObject>();
  const byStart = new Map<bigint, TextObject>();
  const memory = memoryIn(file);
  const typeOf = textTypes(memory, stringType);
  for (const [at, text] of texts.entries()) {
    if (text.file !== file.name || source.placeOf(file.name, text.offset).mapping !== 'managed heap') continue;
    const extent = pieceAt(file.extents, text.offset);
    if (extent?.address === undefined) continue;
    const address = extent.address + BigInt(text.offset - extent.offset);
    const object = objectAround(address, text.bytes, memory, typeOf);
    if (object === undefined) continue;
    if (!byStart.has(object.start)) byStart.set(object.start, object);
    found.set(at, byStart.get(object.start)!);
  }
  return found;
}

/** Those of the objects that a word in the pages, aligned as a pointer is, or a register points to or into. */
async function pointedToIn(
  file: ScannedFile,
  objects: TextObject[],
  registers: readonly bigint[],
): Promise<Set<TextObject>> {
  const pointedTo = new Set<TextObject>();
  if (objects.length === 0) return pointedTo;
  const sought = objects
    .map((object) => ({ offset: Number(object.start), length: Number(object.end - object.start), object }))
    .sort((a, b) => a.offset - b.offset);
  const lowest = sought[0]!.offset;
  const highest = Math.max(...sought.map(({ offset, length }) => offset + length));
  const [lowestUpper, highestUpper] = [Math.floor(lowest / 2 ** 32), Math.floor(highest / 2 ** 32)];
  const see = (word: number): void => {
    const piece = word >= lowest && word < highest ? pieceAt(sought, word) : undefined;
    if (piece) pointedTo.add(piece.object);
  };
  for (const register of registers) see(Number(register));

  const reader = readerOf(file);
  try {
    const buffer = new ArrayBuffer(WINDOW);
    for (const extent of file.extents) {
      if (extent.address === undefined) continue;
      for (let at = 0; at < extent.length; at += WINDOW) {
        const bytes = Math.min(WINDOW, extent.length - at);
        reader.fill(new Uint8Array(buffer, 0, bytes), extent.offset + at);
        const words = new Uint32Array(buffer, 0, Math.floor(bytes / 8) * 2);
        for (let word = 0; word < words.length; word += 2) {
          const upper = words[word + 1]!;
          // Almost all words end here.
          if (upper < lowestUpper || upper > highestUpper) continue;
          see(upper * 2 ** 32 + words[word]!);
        }
        await setImmediate();
      }
    }
  } finally {
    reader.close();
  }
  return pointedTo;
}
