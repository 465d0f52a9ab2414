import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, SnapshotError } from '../../errors.ts';
import { PROJECT_ROOT } from '../../root.ts';
import type { Job } from './jobs.ts';
import type { Found, Setup } from './runner.ts';
import type { Answer } from './worker.ts';

/** Heap of a worker, in MiB; the memory of the first pass is not part of it. It bounds what all of them can take. */
const WORKER_HEAP = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 2 };

/**
 * Does jobs in `threads` worker threads and tells of each one's hits, in the order of the jobs.
 * Rejects with the error of the first job that fails; no thread is left when it returns.
 */
export async function runInThreads(
  jobs: Iterator<Job>,
  setup: Setup,
  threads: number,
  found: (of: Found) => void,
): Promise<void> {
  const answers = new InOrder(found);
  let given = 0;
  const workers = Array.from({ length: threads }, () => {
    return new Worker(workerPath(), { workerData: setup, resourceLimits: WORKER_HEAP, execArgv: [], env: {} });
  });
  try {
    await Promise.all(
      workers.map(async (worker) => {
        const next = answersOf(worker);
        for (let job = jobs.next(); !job.done; job = jobs.next()) {
          const number = given++;
          worker.postMessage(job.value);
          answers.add(number, await next());
        }
      }),
    );
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** The sources as they are under Node 24, the bundle beside the bundled doors elsewhere. */
function workerPath(): string {
  return import.meta.url.endsWith('.ts')
    ? join(import.meta.dirname, 'worker.ts')
    : join(PROJECT_ROOT, 'dist', 'scan-worker.cjs');
}

/** Waits for one answer at a time. Rejects where the thread fails or ends, then and ever after. */
function answersOf(worker: Worker): () => Promise<Found> {
  let failure: unknown;
  let settle: { resolve(found: Found): void; reject(reason: unknown): void } | undefined;
  const fail = (reason: unknown) => {
    failure ??= reason;
    settle?.reject(failure);
  };
  worker.on('message', (answer: Answer) => {
    if ('found' in answer) return settle?.resolve(answer.found);
    const { code, message, ...options } = answer.error;
    fail(new SnapshotError(code as ErrorCode, message, options));
  });
  worker.on('error', (error) => fail(new SnapshotError('DS9001', `A thread of the scan failed: ${error.message}`)));
  worker.on('exit', (code) => fail(new SnapshotError('DS9001', `A thread of the scan ended early (${code}).`)));
  return () =>
    new Promise((resolve, reject) => {
      settle = { resolve, reject };
      if (failure !== undefined) reject(failure);
    });
}

/** Passes results on in the order of their numbers. */
class InOrder {
  private readonly waiting = new Map<number, Found>();
  private readonly found: (of: Found) => void;
  private next = 0;

  constructor(found: (of: Found) => void) {
    this.found = found;
  }

  add(number: number, found: Found): void {
    this.waiting.set(number, found);
    for (let ready = this.waiting.get(this.next); ready !== undefined; ready = this.waiting.get(this.next)) {
      this.waiting.delete(this.next++);
      this.found(ready);
    }
  }
}
