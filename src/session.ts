import { randomUUID } from 'node:crypto';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cleanup } from './cleanup.ts';
import { Docker } from './engine/docker.ts';
import { SnapshotError, toSnapshotError } from './errors.ts';
import { createRun, Gate } from './exec.ts';
import type { Log } from './log.ts';
import { secretsOfEnvironment } from './scan/known/index.ts';
import { loadRules } from './scan/rules/load.ts';
import { RuleSet } from './scan/rules/ruleset.ts';
import { Redactor } from './secrets/redact.ts';
import { RULES_DIRECTORY } from './secrets/rules.ts';
import type { Tools } from './tools.ts';

/** This project's runtime folder, beside src/ and dist/ alike. */
export const RUNTIME_DIRECTORY = join(import.meta.dirname, '..', 'runtime');

/** One run of a door. */
export interface Session {
  tools: Tools;
  gate: Gate;
}

/** A session with the real tools. */
export function createSession(plainLog: Log, environment: NodeJS.ProcessEnv): Session {
  const gate = new Gate();
  const run = gate.guard(createRun(withoutRunnerCredentials(environment)));
  const given = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const redactor = createRedactor();
  redactor.add(secretsOfEnvironment(Object.fromEntries(given)));
  const log = redactor.log(plainLog);
  const tools: Tools = {
    run,
    log,
    redactor,
    docker: new Docker(run, randomUUID()),
    cleanup: new Cleanup(log),
    runtimeDirectory: RUNTIME_DIRECTORY,
    environment: Object.fromEntries(given),
    machine: `${release()} ${process.arch} ${cpus()[0]?.model ?? ''}`,
  };
  return { tools, gate };
}

/** A redactor that applies the rules to what comes out of an app; they are made when first needed. */
function createRedactor(): Redactor {
  let rules: RuleSet | undefined;
  return new Redactor((text, found) => {
    rules ??= new RuleSet(loadRules({ rulesDirectory: RULES_DIRECTORY }));
    rules.search(text, { file: '' }, found);
  });
}

/** How long an interrupted pipeline may take to notice; a runner kills after 7.5 s. */
const UNWIND_MS = 2500;

/**
 * Runs a door's work and leaves nothing behind, whichever way it ends: done, failed or interrupted. Resolves to the
 * exit code; `present` shows a failure, in which secrets are masked.
 */
export async function runSession(
  { tools, gate }: Session,
  work: () => Promise<number>,
  present: (error: SnapshotError) => void,
  { interruptible = true }: { interruptible?: boolean } = {},
): Promise<number> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    if (!interruptible) return;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.once(signal, () => reject(new SnapshotError('DS2007', `The run was interrupted by ${signal}.`)));
  });
  const working = work();
  try {
    return await Promise.race([working, interrupted]);
  } catch (thrown) {
    const error = tools.redactor.error(toSnapshotError(thrown));
    present(error);
    if (error.code === 'DS2007') {
      // Stages undo their own half-done work as the calls they wait for fail.
      await gate.close();
      await Promise.race([working.catch(() => {}), sleep(UNWIND_MS)]);
      gate.open();
    }
    return error.exitCode;
  } finally {
    await tools.cleanup.run();
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
