import type { Extent, ScannedFile } from '../sources/source.ts';
import type { Part } from './scanner.ts';

/** Bytes that a job reads, context not counted. */
export const JOB_BYTES = 2 * 1024 * 1024;

/**
 * Context on both sides of a cut through an extent, in bytes: what is no longer than this is found whole. Known values are
 * compared up to 16 Ki characters, which are 32 KiB in UTF-16LE.
 */
export const CONTEXT = 64 * 1024;

/** Bytes that a job can read. */
export const INPUT_BYTES = JOB_BYTES + 2 * CONTEXT;

/** A piece of work: bytes of one file, read at once, and the parts of extents among them. */
export interface Job {
  /** Name in the source, the file on disk, and where in that it begins. */
  file: string;
  path: string;
  start: number;
  /** Offsets in the file. */
  from: number;
  to: number;
  parts: JobPart[];
}

/** A part and the end of its extent, in case that a stream goes on there. */
export interface JobPart extends Part {
  extentTo: number;
}

/** Cuts files into jobs. Long extents are cut with context, short ones that lie close together share a job. */
export function* jobsOf(files: Iterable<ScannedFile>): Generator<Job> {
  for (const file of files) {
    let job: Job | undefined;
    for (const part of partsOf(file.extents)) {
      if (job === undefined || part.from < job.from || Math.max(job.to, part.to) - job.from > INPUT_BYTES) {
        if (job !== undefined) yield job;
        job = { file: file.name, path: file.path, start: file.start, from: part.from, to: part.to, parts: [] };
      }
      job.to = Math.max(job.to, part.to);
      job.parts.push(part);
    }
    if (job !== undefined) yield job;
  }
}

function* partsOf(extents: readonly Extent[]): Generator<JobPart> {
  for (const { offset, length } of extents) {
    const extentTo = offset + length;
    for (let ownFrom = offset; ownFrom < extentTo; ownFrom += JOB_BYTES) {
      const ownTo = Math.min(ownFrom + JOB_BYTES, extentTo);
      const from = Math.max(offset, ownFrom - CONTEXT);
      yield { from, to: Math.min(ownTo + CONTEXT, extentTo), ownFrom, ownTo, extentTo };
    }
  }
}
