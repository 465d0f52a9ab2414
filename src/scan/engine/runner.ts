import type { KnownSecret } from '../../model/findings.ts';
import { RuleSet, type RuleSetConfig } from '../rules/ruleset.ts';
import type { Hit } from './hit.ts';
import { INPUT_BYTES, type Job, type JobPart } from './jobs.ts';
import type { Patterns } from './patterns.ts';
import { Reader } from './reader.ts';
import { type Cut, Scanner } from './scanner.ts';
import type { WasmModule } from './wasm.ts';

/** Everything that a thread needs to do jobs; crosses into it by structured clone. */
export interface Setup {
  module: WasmModule;
  patterns: Patterns;
  rules: RuleSetConfig;
  known: KnownSecret[];
}

/** What a job has led to. */
export interface Found {
  hits: Hit[];
  /** Places of compressed data that was searched in part only. */
  partly: number;
}

/** Most compressed bytes of one gzip stream that are read. */
const MAX_STREAM = 16 * 1024 * 1024;

/** Bytes before the body of an HTTP message that its headers are looked for in. */
const MAX_HEADERS = 32 * 1024;

/** Does jobs one after the other. */
export class Runner {
  private readonly scanner: Scanner;
  private readonly reader = new Reader();

  constructor({ module, patterns, rules, known }: Setup) {
    this.scanner = new Scanner(module, patterns, new RuleSet(rules), known, INPUT_BYTES);
  }

  /** What is found in the job's own bytes. Throws DS4002 where they can't be read, or unpack to no end. */
  run(job: Job): Found {
    this.read(job, job.from, job.to);
    const cuts: { cut: Cut; part: JobPart }[] = [];
    for (const part of job.parts) {
      const isWhole = part.to === part.extentTo;
      for (const cut of this.scanner.search(part)) if (!isWhole) cuts.push({ cut, part });
    }
    for (const { cut, part } of cuts) this.runAgain(job, cut, part);
    return { hits: this.scanner.collector.take(), partly: this.scanner.takePartly() };
  }

  close(): void {
    this.reader.close();
  }

  /** Compressed data that goes on beyond the context is read again, with more behind its beginning. */
  private runAgain(job: Job, { offset, isBody }: Cut, { from: partFrom, extentTo }: JobPart): void {
    const from = isBody ? Math.max(partFrom, offset - MAX_HEADERS) : offset;
    const to = Math.min(extentTo, from + INPUT_BYTES);
    this.read(job, from, to, true);
    const part = { from, to, ownFrom: offset, ownTo: offset + 1 };
    let end = to;
    const more = () => {
      const next = Math.min(extentTo, end + INPUT_BYTES, offset + MAX_STREAM);
      if (next <= end) return undefined;
      this.reader.read(job.file, job.path, job.start + end, this.scanner.input.subarray(0, next - end));
      end = next;
      return next;
    };
    const isWhole = isBody
      ? !this.scanner.search(part).some((again) => again.isBody)
      : this.scanner.searchStream(part, more);
    if (!isWhole && end < extentTo) this.scanner.addPartly(offset);
  }

  private read(job: Job, from: number, to: number, isAgain = false): void {
    this.reader.read(job.file, job.path, job.start + from, this.scanner.input.subarray(0, to - from));
    this.scanner.open(job.file, from, to, isAgain);
  }
}
