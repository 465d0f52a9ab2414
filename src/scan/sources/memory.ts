import type { Mapping } from '../../model/findings.ts';
import type { Place } from './source.ts';

/** A piece of a process's address space. */
export interface Area {
  start: bigint;
  /** Address behind its last byte. */
  end: bigint;
  mapping: Mapping;
  /** The file that is mapped there. */
  mappedFile?: string;
}

/** What is known of a process whose memory is scanned. */
export interface ProcessMemory {
  pid: number;
  /** As `ps` shows it. */
  name?: string;
  /** Its areas by address. Where two overlap, the first in the list counts. */
  areas: Area[];
  /** What the general registers of its threads held. */
  registers: bigint[];
}

/** Where `address` is in the process. */
export function placeIn(process: ProcessMemory, address: bigint): Place {
  const area = process.areas.find(({ start, end }) => start <= address && address < end);
  return {
    mapping: area?.mapping ?? 'anonymous memory',
    ...placeOfProcess(process),
    address,
    ...(area?.mappedFile === undefined ? {} : { mappedFile: area.mappedFile }),
  };
}

/** PID and name, as parts of a place. */
export function placeOfProcess({ pid, name }: { pid: number; name?: string }): Pick<Place, 'pid' | 'process'> {
  return { pid, ...(name === undefined ? {} : { process: name }) };
}
