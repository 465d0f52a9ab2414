import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadBaseline, saveBaseline } from '../../src/store/baseline.ts';
import { saveEntry } from '../../src/store/cache.ts';
import { type RecordingLog, recordingLog } from '../harness/recording-log.ts';
import { sampleReport } from './report-sample.ts';
import { MAIN, useStore } from './store-service.ts';

const store = useStore();
const PULL_REQUEST = [
  { scope: 'refs/pull/7/merge', permission: 3 },
  { ...MAIN, permission: 1 },
];
let log: RecordingLog;
let dir: string;

beforeEach(() => {
  log = recordingLog();
  dir = join(store.temp, 'baseline');
});

const on = (branch: string) => ({ branch, dir, log });

describe('the baseline', () => {
  it('is the base branch’s newest report, as a pull request sees it', async () => {
    await saveBaseline(sampleReport({ commit: 'a' }), '100-1', on('main'));
    await saveBaseline(sampleReport({ commit: 'b' }), '99-2', on('main'));
    store.asJob('run-2', ...PULL_REQUEST);
    expect(await loadBaseline('todo-api', on('main'))).toEqual(sampleReport({ commit: 'b' }));
    expect(log.warnings).toEqual([]);
  });

  it('is absent before the base branch has one', async () => {
    expect(await loadBaseline('todo-api', on('main'))).toBeUndefined();
    expect(log.warnings).toEqual([]);
  });

  it('is not that of a branch or an app whose name begins alike', async () => {
    await saveBaseline(sampleReport(), '1', on('main-2'));
    await saveBaseline(sampleReport(), '1', on('main/2'));
    await saveBaseline(sampleReport({ name: 'todo-api/main' }), '1', on('main'));
    expect(await loadBaseline('todo-api', on('main'))).toBeUndefined();
  });

  it('takes names that a cache key can’t hold', async () => {
    const report = sampleReport({ name: 'a, b \ud800' });
    await saveBaseline(report, '1', on('fix/a,b'));
    expect((await loadBaseline('a, b \ud800', on('fix/a,b')))?.commit).toBe(report.commit);
  });

  it('of a pull request does not reach the base branch', async () => {
    store.asJob('run-1', ...PULL_REQUEST);
    await saveBaseline(sampleReport({ commit: 'forged' }), '1', on('main'));
    store.asJob('run-2', MAIN);
    expect(await loadBaseline('todo-api', on('main'))).toBeUndefined();
  });

  it.each([
    ['no JSON', 'not JSON'],
    ['another version', JSON.stringify({ ...sampleReport(), version: 2 })],
    ['a string for a number', JSON.stringify({ ...sampleReport(), verify: { clones: '3', answersCompared: 1 } })],
    ['a member missing', JSON.stringify({ ...sampleReport(), stages: undefined })],
    ['another app', JSON.stringify(sampleReport({ name: 'other' }))],
  ])('is ignored with a warning when it holds %s', async (_what, content) => {
    await mkdir(dir);
    await writeFile(join(dir, 'report.json'), content);
    await saveEntry('dotnet-snapshot-report-v1/todo-api/main/1', { dir, log });
    expect(await loadBaseline('todo-api', on('main'))).toBeUndefined();
    expect(log.warnings).toEqual([expect.stringContaining('ignored')]);
  });

  it('drops members that this version does not know', async () => {
    await mkdir(dir);
    await writeFile(join(dir, 'report.json'), JSON.stringify({ ...sampleReport(), later: true }));
    await saveEntry('dotnet-snapshot-report-v1/todo-api/main/1', { dir, log });
    expect(await loadBaseline('todo-api', on('main'))).toEqual(sampleReport());
  });
});
