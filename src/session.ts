import { randomUUID } from 'node:crypto';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { Cleanup } from './cleanup.ts';
import { Docker } from './engine/docker.ts';
import { SnapshotError, toSnapshotError } from './errors.ts';
import { createRun } from './exec.ts';
import type { Log } from './log.ts';
import type { Tools } from './tools.ts';

/** This project's runtime folder, beside src/ and dist/ alike. */
export const RUNTIME_DIRECTORY = join(import.meta.dirname, '..', 'runtime');

/** The real tools of one run of a door. */
export function createTools(log: Log, environment: NodeJS.ProcessEnv): Tools {
  const run = createRun(withoutRunnerCredentials(environment));
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return {
    run,
    log,
    docker: new Docker(run, randomUUID()),
    cleanup: new Cleanup(log),
    runtimeDirectory: RUNTIME_DIRECTORY,
    environment: Object.fromEntries(given),
    machine: `${release()} ${cpus()[0]?.model ?? process.arch}`,
  };
}

/**
 * Runs a door's work and leaves nothing behind, whichever way it ends: done, failed or interrupted. Resolves to the
 * exit code; `present` shows a failure.
 */
export async function runSession(
  { cleanup }: Tools,
  work: () => Promise<number>,
  present: (error: SnapshotError) => void,
  { interruptible = true }: { interruptible?: boolean } = {},
): Promise<number> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    if (!interruptible) return;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => reject(new SnapshotError('DS2007', `The run was interrupted by ${signal}.`)));
  });
  try {
    return await Promise.race([work(), interrupted]);
  } catch (thrown) {
    const error = toSnapshotError(thrown);
    present(error);
    return error.exitCode;
  } finally {
    await cleanup.run();
  }
}

/**
 * What child processes inherit: the project's own build runs among them, and it may come from a pull request. The
 * runner hides these from `run:` steps too; with them a build could write artifacts, caches and comments of its own.
 */
function withoutRunnerCredentials(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const internal = /^(INPUT_|ACTIONS_(RUNTIME|RESULTS|CACHE|ID_TOKEN)_)/;
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !internal.test(name)));
}
