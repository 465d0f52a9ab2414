import { setTimeout as sleep } from 'node:timers/promises';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Answer, Replay, Traffic } from '../model/index.ts';
import { describeStatuses, statusesOf, unreached } from './statuses.ts';

/** What the warmup needs of the running app. */
export interface WarmTarget {
  origin: string;
  /** Host header of requests that name none. */
  host?: string;
  /** Methods that the JIT has compiled so far; undefined where the companion can't tell. */
  compiledMethods: () => Promise<number | undefined>;
  /** Runs the app's own warmup actions once; resolves to how many there are. */
  runWarmups: () => Promise<number>;
  running: () => Promise<boolean>;
  logs: () => Promise<string>;
}

export interface WarmupOptions {
  /** The most rounds to replay, at least 3. */
  maxRounds: number;
  /** No new round starts after this many milliseconds. */
  maxMillis: number;
}

export interface WarmupTools {
  replay: Replay;
  log: Log;
  /** Called with the answers of each round, before they are judged. */
  onAnswers?: (answers: readonly Answer[]) => void;
}

export interface Warmup {
  /** 0 where only the app's own warmup actions ran. */
  rounds: number;
  requests: number;
  methods?: number;
  /** Whether the JIT was seen to become quiet. */
  steady: boolean;
  millis: number;
  /** Answers of the last round by their status; absent where there were none. */
  statuses?: Record<string, number>;
  /** What keeps most of the traffic from the app's own code; absent where nothing seems to. */
  caveat?: string;
  /** Answers of the last rounds, oldest first: what the app answered right before its checkpoint. */
  lastAnswers: Answer[][];
}

/** A round that compiles no more than this share of all methods counts as quiet. */
const QUIET_SHARE = 0.005;
const QUIET_ROUNDS = 2;
const REFERENCE_ROUNDS = 3;

/**
 * Runs the app's own warmup actions once, lets it work for `seconds`, and does nothing else: no traffic, no wait for the
 * JIT. Throws DS3007, or DS3002 where the app ends.
 */
export async function warmupActions(target: WarmTarget, log: Log, seconds = 0): Promise<Warmup> {
  const start = performance.now();
  log.info(actions(await target.runWarmups()) || 'no traffic is replayed, and the app has no warmup actions');
  if (seconds > 0) {
    log.info(`the app works for ${seconds} s before its checkpoint`);
    for (let waited = 0; waited < seconds && (await target.running()); waited++) await sleep(1000);
    if (!(await target.running()))
      throw new SnapshotError('DS3002', 'The app ended while it was warmed.', { detail: await target.logs() });
  }
  const methods = await target.compiledMethods();
  return {
    rounds: 0,
    requests: 0,
    steady: false,
    millis: Math.round(performance.now() - start),
    lastAnswers: [],
    ...(methods !== undefined && { methods }),
  };
}

/**
 * Replays the traffic in rounds until the JIT is quiet, the app's own warmup actions before each. The number of requests would be the wrong criterion: under
 * load the background compiler waits, so each round ends with a pause that lasts until nothing more is compiled.
 * Throws DS5001 where an answer is not as expected, DS3002 where the app ends, DS3007 where a warmup action fails.
 */
export async function warmup(
  target: WarmTarget,
  traffic: Traffic,
  options: WarmupOptions,
  { replay, log, onAnswers }: WarmupTools,
): Promise<Warmup> {
  const start = performance.now();
  const elapsed = () => Math.round(performance.now() - start);
  const lastAnswers: Answer[][] = [];
  let methods = await target.compiledMethods();
  let requests = 0;
  let quiet = 0;
  let rounds = 0;

  while (
    rounds < REFERENCE_ROUNDS ||
    (quiet < QUIET_ROUNDS && rounds < options.maxRounds && elapsed() < options.maxMillis)
  ) {
    const ran = await target.runWarmups();
    const answers = await replay(traffic, target);
    rounds += 1;
    requests += answers.length;
    onAnswers?.(answers);
    if (await hasEnded(target, answers))
      throw new SnapshotError('DS3002', `The app ended in round ${rounds} of the warmup.`, {
        detail: await target.logs(),
      });
    requireExpectations(answers);

    const now = await untilCompilerPauses(target.compiledMethods);
    const compiled = (now ?? 0) - (methods ?? 0);
    methods = now;
    quiet = compiled <= (now ?? 0) * QUIET_SHARE ? quiet + 1 : 0;
    const sent = answers.length > 0 ? `${answers.length} requests` : '';
    const done = [actions(ran), sent, `${compiled} methods compiled`];
    log.info(`round ${rounds}: ${done.filter(Boolean).join(', ')}`);
    lastAnswers.push(answers);
    if (lastAnswers.length > REFERENCE_ROUNDS) lastAnswers.shift();
  }
  const steady = quiet >= QUIET_ROUNDS;
  if (!steady && options.maxRounds > REFERENCE_ROUNDS)
    log.warning(
      `The JIT was still compiling after ${rounds} rounds; the snapshot is good but not as warm as it could be.`,
    );
  const last = lastAnswers.at(-1)!;
  const caveat = unreached(last);
  if (last.length > 0) log.info(describeStatuses(last));
  if (caveat !== undefined) log.warning(caveat);
  return {
    ...{ rounds, requests, steady, millis: elapsed(), lastAnswers },
    ...(last.length > 0 && { statuses: statusesOf(last) }),
    ...(caveat !== undefined && { caveat }),
    ...(methods !== undefined && { methods }),
  };
}

/**
 * A program in the app's container in place of the replay: a round is one run of it. Its replay throws DS3007 where it
 * does not end with exit code 0.
 */
export function commandRounds(
  argv: string[],
  exec: (argv: string[]) => Promise<{ code: number; stdout: string; stderr: string }>,
): Replay {
  return async () => {
    const { code, stdout, stderr } = await exec(argv);
    if (code !== 0)
      throw new SnapshotError('DS3007', `The warmup-command ${argv[0]} ended with exit code ${code}.`, {
        detail: `${stdout}${stderr}`,
        fix: 'Mend the command; it runs in the app’s container, as the app’s user, without a shell.',
      });
    return [];
  };
}

/** Empty for none, which is what most apps have. */
function actions(count: number): string {
  return count === 0 ? '' : `${count} warmup action${count === 1 ? '' : 's'}`;
}

/** Whether the app is gone. Where an answer is missing its container may need a moment to end. */
async function hasEnded(target: WarmTarget, answers: Answer[]): Promise<boolean> {
  const suspicious = answers.some(({ unmet }) => unmet.length > 0);
  for (let waited = 0; suspicious && waited < 1000 && (await target.running()); waited += 100) await sleep(100);
  return !(await target.running());
}

/** Waits until the count stands still for 300 ms, at most 5 s. */
async function untilCompilerPauses(compiledMethods: WarmTarget['compiledMethods']): Promise<number | undefined> {
  let before = await compiledMethods();
  for (let waited = 0, still = 0; still < 300 && waited < 5000; waited += 100) {
    await sleep(100);
    const now = await compiledMethods();
    still = now === before ? still + 100 : 0;
    before = now;
  }
  return before;
}

function requireExpectations(answers: Answer[]): void {
  const failed = answers.filter((answer) => answer.unmet.length > 0);
  if (failed.length === 0) return;
  const lines = failed
    .slice(0, 10)
    .map((answer) => `${answer.exchange} (${answer.method} ${answer.path}): ${answer.unmet.join('; ')}`);
  throw new SnapshotError(
    'DS5001',
    `${failed.length} of ${answers.length} answers are not what the traffic file expects.`,
    {
      detail: lines.join('\n'),
    },
  );
}
