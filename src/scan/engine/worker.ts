import { parentPort, workerData } from 'node:worker_threads';
import { toSnapshotError } from '../../errors.ts';
import type { Job } from './jobs.ts';
import { type Found, Runner, type Setup } from './runner.ts';

/** What a worker answers to a job: what it found, or why it could not do it. */
export type Answer = { found: Found } | { error: { code: string; message: string; fix: string; detail?: string } };

const runner = new Runner(workerData as Setup);

parentPort!.on('message', (job: Job) => {
  parentPort!.postMessage(answerTo(job));
});

function answerTo(job: Job): Answer {
  try {
    return { found: runner.run(job) };
  } catch (thrown) {
    const { code, message, fix, detail } = toSnapshotError(thrown);
    return { error: { code, message, fix, ...(detail === undefined ? {} : { detail }) } };
  }
}
