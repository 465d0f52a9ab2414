import { expect, test } from 'vitest';
import type { Answer, Traffic } from '../../src/model/index.ts';
import { commandRounds, type WarmTarget, warmup, warmupActions } from '../../src/warmup/warmup.ts';
import { recordingLog } from '../harness/recording-log.ts';

const traffic: Traffic = { file: 't', digest: 'd', exchanges: [] };
const answer = { exchange: 'home', path: '/', status: 200, headers: {}, unmet: [] as string[] } as unknown as Answer;

/** A target that writes down what is asked of it. */
function target(changes: Partial<WarmTarget> = {}) {
  const calls: string[] = [];
  return {
    calls,
    replay: async () => {
      calls.push('replay');
      return [answer];
    },
    target: {
      origin: 'http://app',
      compiledMethods: async () => 1000,
      runWarmups: async () => {
        calls.push('warmups');
        return 2;
      },
      running: async () => true,
      logs: async () => 'what the app wrote',
      ...changes,
    } satisfies WarmTarget,
  };
}

test('the app’s own warmup actions run before each round', async () => {
  const { target: app, replay, calls } = target();
  const log = recordingLog();
  const result = await warmup(app, traffic, { maxRounds: 30, maxMillis: 60_000 }, { replay, log });
  expect(calls).toEqual(['warmups', 'replay', 'warmups', 'replay', 'warmups', 'replay']);
  expect(result).toMatchObject({ rounds: 3, requests: 3, steady: true, methods: 1000 });
  expect(log.infos[0]).toBe('round 1: 2 warmup actions, 1 requests, 0 methods compiled');
});

test('an app that ends in a round is told with its log', async () => {
  const { target: app, replay } = target({ running: async () => false, runWarmups: async () => 0 });
  await expect(
    warmup(app, traffic, { maxRounds: 30, maxMillis: 60_000 }, { replay, log: recordingLog() }),
  ).rejects.toMatchObject({ code: 'DS3002', detail: 'what the app wrote' });
});

test('without traffic the warmup actions run once, and nothing is said to be steady', async () => {
  const { target: app, calls } = target();
  const log = recordingLog();
  const result = await warmupActions(app, log);
  expect(calls).toEqual(['warmups']);
  expect(result).toMatchObject({ rounds: 0, requests: 0, steady: false, methods: 1000, lastAnswers: [] });
  expect(log.infos).toEqual(['2 warmup actions']);
});

test('the answers of every round are told of, those of a round that fails too', async () => {
  const { target: app, replay } = target();
  const told: unknown[] = [];
  const onAnswers = (answers: readonly unknown[]) => void told.push(answers);
  const options = { maxRounds: 30, maxMillis: 60_000 };
  const { rounds } = await warmup(app, traffic, options, { replay, log: recordingLog(), onAnswers });
  expect(told).toHaveLength(rounds);
  const failing = [{ exchange: 'a', method: 'GET', path: '/', unmet: ['status 200'] }] as unknown as Answer[];
  const failed = warmup(app, traffic, options, { replay: async () => failing, log: recordingLog(), onAnswers });
  await expect(failed).rejects.toMatchObject({ code: 'DS5001' });
  expect(told.at(-1)).toBe(failing);
});

test('a command in place of traffic is run in each round', async () => {
  const { target: app } = target({ runWarmups: async () => 0 });
  const ran: string[][] = [];
  const exec = async (argv: string[]) => {
    ran.push(argv);
    return { code: 0, stdout: '', stderr: '' };
  };
  const log = recordingLog();
  const tools = { replay: commandRounds(['work', 'hard'], exec), log };
  expect(await warmup(app, traffic, { maxRounds: 30, maxMillis: 60_000 }, tools)).toMatchObject({ rounds: 3 });
  expect(ran).toEqual([
    ['work', 'hard'],
    ['work', 'hard'],
    ['work', 'hard'],
  ]);
  expect(log.infos).toEqual([
    'round 1: 0 methods compiled',
    'round 2: 0 methods compiled',
    'round 3: 0 methods compiled',
  ]);
});

test('a command that fails is told with what it printed', async () => {
  const replay = commandRounds(['work'], async () => ({ code: 3, stdout: 'no', stderr: ' way' }));
  await expect(replay(traffic, { origin: '' })).rejects.toMatchObject({ code: 'DS3007', detail: 'no way' });
});

test('an app that ends while it works for some time is told with its log', async () => {
  const { target: app } = target({ running: async () => false });
  await expect(warmupActions(app, recordingLog(), 1)).rejects.toMatchObject({ code: 'DS3002' });
});
