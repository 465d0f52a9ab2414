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

/** Bytes before the body of an HTTP message that its headers are looked for in. */
const MAX_HEADERS = 32 * 1024;

/** Does jobs one after the other. */
export class Runner {
  private readonly scanner: Scanner;
  private readonly reader = new Reader();

  constructor({ module, patterns, rules, known }: Setup) {
    this.scanner = new Scanner(module, patterns, new RuleSet(rules), known, INPUT_BYTES);
  }

  /** What is found in the job's own bytes. Throws DS4002 where they can't be read. */
  run(job: Job): Hit[] {
    this.read(job, job.from, job.to);
    const cuts: { cut: Cut; part: JobPart }[] = [];
    for (const part of job.parts) {
      const isWhole = part.to === part.extentTo;
      for (const cut of this.scanner.search(part)) if (!isWhole) cuts.push({ cut, part });
    }
    for (const { cut, part } of cuts) this.runAgain(job, cut, part);
    return this.scanner.collector.take();
  }

  close(): void {
    this.reader.close();
  }

  /** Compressed data that goes on beyond the context is read again, with as much behind its beginning as there is room. */
  private runAgain(job: Job, { offset, isBody }: Cut, { from: partFrom, extentTo }: JobPart): void {
    const from = isBody ? Math.max(partFrom, offset - MAX_HEADERS) : offset;
    const to = Math.min(extentTo, from + INPUT_BYTES);
    this.read(job, from, to, true);
    const part = { from, to, ownFrom: offset, ownTo: offset + 1 };
    if (isBody) this.scanner.search(part);
    else this.scanner.searchStream(part);
  }

  private read(job: Job, from: number, to: number, isAgain = false): void {
    this.reader.read(job.file, job.path, job.start + from, this.scanner.input.subarray(0, to - from));
    this.scanner.open(job.file, from, isAgain);
  }
}
