import type { Landmarks } from '../areas.ts';
import { type StoredFile, withReader } from '../stored.ts';
import type { ElfCore } from './file.ts';
import { auxiliaryValue } from './notes.ts';

const AT_EXECFN = 31n;

/** The kernel allows a quarter of the stack's limit for arguments and environment; this is that of the usual 8 MiB. */
const MOST_BYTES = 4 * 1024 * 1024;

/**
 * Where arguments and environment lie, from the stack as the kernel made it: argc, the pointers to the arguments, zero,
 * those to the variables, zero, the auxiliary vector; above them the texts, and last the program's path.
 * Undefined where the dump has no such stack.
 */
export function readInitialStack(
  file: StoredFile,
  core: ElfCore,
  auxiliary: Buffer | undefined,
): (Pick<Landmarks, 'environment' | 'arguments'> & { pointer: bigint }) | undefined {
  const path = auxiliaryValue(auxiliary, AT_EXECFN);
  const segment = core.segments.find(({ start, end }) => path !== undefined && start <= path && path < end);
  if (path === undefined || auxiliary === undefined || segment === undefined) return undefined;
  const length = Math.min(segment.length, MOST_BYTES);
  const bytes = withReader(file, (reader) => reader.read(segment.offset + segment.length - length, length));
  // The first u64 are told apart from random text by their number.
  const vector = bytes.indexOf(auxiliary.subarray(0, Math.min(auxiliary.length, 64)));
  if (vector < 8) return { pointer: path };
  const [variables, beforeVariables] = pointersBelow(bytes, vector, segment.start);
  const [words] = pointersBelow(bytes, beforeVariables + 8, segment.start);
  const [environment, first] = [variables[0] ?? path, words[0]];
  return {
    pointer: path,
    ...(environment < path && { environment: { start: environment, end: path } }),
    ...(first !== undefined && first < environment && { arguments: { start: first, end: environment } }),
  };
}

/** A list of pointers that ends with a zero right below `end`, and the offset of what is below it. */
function pointersBelow(bytes: Buffer, end: number, least: bigint): [bigint[], number] {
  const pointers: bigint[] = [];
  let at = end - 16;
  for (; at >= 0; at -= 8) {
    const pointer = bytes.readBigUInt64LE(at);
    if (pointer < least) break;
    pointers.push(pointer);
  }
  return [pointers.reverse(), at];
}
