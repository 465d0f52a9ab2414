import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createFileRegistry, type FileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { SnapshotError } from '../errors.ts';
import { PAGE } from './format.ts';
import type { PagemapEntry } from './messages.ts';

const COMMON_MAGIC = 0x5456_4319;
const HEADER_BYTES = 8;

/** Flags of a pagemap's entry: its pages are in an earlier snapshot; they are in this one. */
const [IN_PARENT, PRESENT] = [1, 4];

/** Bytes of an image file that go into the pages file as they are. */
export interface Source {
  /** Name of the image file. */
  file: string;
  offset: number;
  bytes: number;
}

/** Pages with content: addresses, or offsets in an object, and where the content is. */
export interface Run {
  start: number;
  end: number;
  source: Source;
}

/** The parts of runs that lie within a range. */
export function within(runs: readonly Run[], range: { start: number; end: number }): Run[] {
  return runs
    .filter((run) => run.start < range.end && range.start < run.end)
    .map(({ start, end, source }) => {
      const [from, to] = [Math.max(start, range.start), Math.min(end, range.end)];
      return { start: from, end: to, source: { ...source, offset: source.offset + from - start, bytes: to - from } };
    });
}

/** CRIU's image files in a folder, decoded by the description of their messages in its file `images.desc`. */
export class Images {
  readonly #folder: string;
  readonly #registry: FileRegistry;

  private constructor(folder: string, registry: FileRegistry) {
    this.#folder = folder;
    this.#registry = registry;
  }

  /** Throws DS6002 where the folder has no description of the messages. */
  static async open(folder: string): Promise<Images> {
    const bytes = await readFile(join(folder, 'images.desc')).catch(() => {
      throw new SnapshotError('DS6002', `${folder} has no description of its image files (images.desc).`, {
        fix: 'Take the checkpoint again with this version.',
      });
    });
    return new Images(folder, createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes)));
  }

  /** Whether there is an image file of this name, without `.img`. */
  has(name: string): boolean {
    return existsSync(join(this.#folder, `${name}.img`));
  }

  /** The only message of an image file. */
  async one<T>(name: string, type: string): Promise<T> {
    const [message] = await this.all<T>(name, type);
    if (message === undefined) throw new Error(`${name}.img is empty`);
    return message;
  }

  /** All messages of an image file; none where there is no such file. */
  async all<T>(name: string, type: string): Promise<T[]> {
    return (await this.withBytes<T>(name, [type], () => 0)).map(({ message }) => message);
  }

  /**
   * All messages of an image file, each with the raw bytes that follow it, of which `bytesOf` tells how many. The last of
   * `types` is that of all further messages.
   */
  async withBytes<T>(
    name: string,
    types: string[],
    bytesOf: (message: T, left: number) => number,
  ): Promise<{ message: T; source: Source }[]> {
    if (!this.has(name)) return [];
    const file = await readFile(join(this.#folder, `${name}.img`));
    if (file.readUInt32LE(0) !== COMMON_MAGIC) throw new Error(`${name}.img is no image file of CRIU`);
    const found: { message: T; source: Source }[] = [];
    for (let at = HEADER_BYTES; at < file.length; ) {
      const end = at + 4 + file.readUInt32LE(at);
      const type = types[Math.min(found.length, types.length - 1)]!;
      const message = this.#decode<T>(type, file.subarray(at + 4, end));
      const bytes = bytesOf(message, file.length - end);
      if (end + bytes > file.length) throw new Error(`${name}.img is cut off`);
      found.push({ message, source: { file: `${name}.img`, offset: end, bytes } });
      at = end + bytes;
    }
    return found;
  }

  /** What a pagemap tells of the pages with content, in the order of their addresses; none where there is no such file. */
  async runs(name: string): Promise<Run[]> {
    const [head, ...entries] = (
      await this.withBytes<PagemapEntry & { pagesId: number }>(name, ['pagemap_head', 'pagemap_entry'], () => 0)
    ).map(({ message }) => message);
    if (head === undefined) return [];
    const file = `pages-${head.pagesId}.img`;
    let offset = 0;
    const runs = entries.map((entry) => {
      if (entry.inParent || (Object.hasOwn(entry, 'flags') && (entry.flags! & (IN_PARENT | PRESENT)) !== PRESENT))
        throw new Error(`${name}.img refers to pages that are not in the snapshot`);
      const start = Number(entry.vaddr);
      const bytes = Number(entry.nrPages || entry.compatNrPages) * PAGE;
      offset += bytes;
      return { start, end: start + bytes, source: { file, offset: offset - bytes, bytes } };
    });
    if (offset !== (await this.#size(file))) throw new Error(`${file} is not as long as ${name}.img tells`);
    return runs.sort((a, b) => a.start - b.start);
  }

  async #size(file: string): Promise<number> {
    return (await stat(join(this.#folder, file))).size;
  }

  #decode<T>(type: string, bytes: Uint8Array): T {
    const description = this.#registry.getMessage(type);
    if (!description) throw new Error(`images.desc does not describe ${type}`);
    return fromBinary(description, bytes) as unknown as T;
  }
}
