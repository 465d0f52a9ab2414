import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KnownSecret } from '../../model/findings.ts';
import { RuleSet, type RuleSetConfig } from '../rules/ruleset.ts';
import type { ScannedFile } from '../sources/source.ts';
import { Collector } from './collector.ts';
import type { Hit } from './hit.ts';
import { JOB_BYTES, type Job, jobsOf } from './jobs.ts';
import { compilePatterns } from './patterns.ts';
import { runInThreads } from './pool.ts';
import { type Found, Runner, type Setup } from './runner.ts';
import { loadFirstPass } from './wasm.ts';

/** What is searched for. */
export interface SearchFor {
  rules: RuleSetConfig;
  known: KnownSecret[];
}

/** What was found, and how much was looked at. */
export interface SearchResult {
  hits: Hit[];
  /** Bytes of all extents. */
  bytes: number;
  /** Contiguous pieces of memory that were read as one text each. */
  extents: number;
  /** Places of compressed data that was searched in part only, because the rest is beyond what is unpacked. */
  partly: number;
}

/** Threads that are used where nothing else is asked for: of 4 GB in one process, memory stays under 200 MB with them. */
const MAX_THREADS = 2;

/**
 * Bytes that are worth another thread: each compiles the rules anew, which takes as long as one that is warm needs for
 * this much (bench/scan.ts).
 */
const WORTH_A_THREAD = 512 * 1024 * 1024;

/**
 * Searches all extents of all files for known values and for what rules match, in every encoding, without ever joining
 * two extents. Memory use does not grow with the files. Hits are in the order of files and offsets.
 * Throws DS4002 where a file can't be read whole or compressed data unpacks to no end, DS9001 where a thread fails.
 */
export async function searchFiles(
  files: readonly ScannedFile[],
  what: SearchFor,
  options: { threads?: number } = {},
): Promise<SearchResult> {
  const setup = await setupFor(what);
  const collector = new Collector();
  let partly = 0;
  const found = (of: Found) => {
    for (const hit of of.hits) collector.merge(hit);
    partly += of.partly;
  };
  const extents = files.flatMap((file) => file.extents);
  const bytes = extents.reduce((sum, extent) => sum + extent.length, 0);
  const worth = Math.min(availableParallelism(), MAX_THREADS, 1 + Math.floor(bytes / WORTH_A_THREAD));
  const threads = Math.min(options.threads ?? worth, Math.ceil(bytes / JOB_BYTES));
  if (threads > 1) await runInThreads(jobsOf(files), setup, threads, found);
  else await runHere(jobsOf(files), setup, found);
  return { hits: collector.take(), bytes, extents: extents.length, partly };
}

async function runHere(jobs: Iterable<Job>, setup: Setup, found: (of: Found) => void): Promise<void> {
  const runner = new Runner(setup);
  try {
    for (const job of jobs) {
      found(runner.run(job));
      await nextTurn();
    }
  } finally {
    runner.close();
  }
}

async function setupFor({ rules, known }: SearchFor): Promise<Setup> {
  const { keywords, hasUnkeyed } = new RuleSet(rules);
  return { module: await loadFirstPass(), patterns: compilePatterns(keywords, hasUnkeyed, known), rules, known };
}
