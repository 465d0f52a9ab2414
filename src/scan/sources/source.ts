import type { Mapping } from '../../model/findings.ts';
import type { PlantedCanary } from '../canaries.ts';
import type { StoredFile } from './stored.ts';

/** A contiguous piece of a file that is one piece of memory too, so that text in it may be read across its pages. */
export interface Extent {
  /** Byte offset in the file. */
  offset: number;
  /** Bytes. */
  length: number;
  /** Address of the first byte in the process `pid`, where the source tells it. */
  address?: bigint;
  pid?: number;
}

/**
 * A file of what is scanned, and the extents that cover all of it. An archive itself is one too: its extents are what
 * lies between its members.
 */
export interface ScannedFile extends StoredFile {
  extents: Extent[];
}

/** Where in a process an offset of a scanned file is. `record` for files that hold no memory. */
export interface Place {
  mapping: Mapping;
  pid?: number;
  /** Name of the process, as `ps` shows it. */
  process?: string;
  address?: bigint;
  /** The file that is mapped there. */
  mappedFile?: string;
}

/** What tells a dead .NET object from a living one, beside the memory itself. */
export interface RuntimeMemory {
  /** General registers of all threads. */
  registers: bigint[];
  /** Type handle (MethodTable address) of System.String, where the build wrote it down. */
  stringType?: bigint;
}

/** What a path holds: a CRIU folder, an archive with one, or a core dump. */
export interface Source {
  files: ScannedFile[];
  /** Where the byte at `offset` of the file `name` is in the process. */
  placeOf(name: string, offset: number): Place;
  /** What else is known of the process whose memory the file `name` is; undefined where it is no process's memory. */
  memoryOf?(name: string): RuntimeMemory | undefined;
  /** Canaries that the build planted, where a manifest.json tells of them. */
  planted?: PlantedCanary[];
  /** Removes what was unpacked. */
  close(): Promise<void>;
}
