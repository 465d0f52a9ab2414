import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { restoreEntry, saveEntry } from '../../src/store/cache.ts';
import { type RecordingLog, recordingLog } from '../harness/recording-log.ts';
import { MAIN, useStore } from './store-service.ts';

const store = useStore();
let log: RecordingLog;
let dir: string;

beforeEach(async () => {
  log = recordingLog();
  dir = join(store.temp, 'cached');
  await mkdir(dir);
  await writeFile(join(dir, 'pages-1.img'), 'pages');
});

describe('the cache', () => {
  it('brings back what was saved, modes included, and nothing else', async () => {
    await chmod(join(dir, 'pages-1.img'), 0o640);
    expect(await saveEntry('key', { dir, log })).toBe(true);
    await writeFile(join(dir, 'pages-1.img'), 'changed');
    await writeFile(join(dir, 'stale.img'), 'left over');

    expect(await restoreEntry('key', { dir, log })).toBe(true);
    expect(await readFile(join(dir, 'pages-1.img'), 'utf8')).toBe('pages');
    expect((await stat(join(dir, 'pages-1.img'))).mode & 0o777).toBe(0o640);
    await expect(stat(join(dir, 'stale.img'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(log.warnings).toEqual([]);
  });

  it('does not take an entry whose key only begins like the one asked for', async () => {
    await saveEntry('key-of-another', { dir, log });
    expect(await restoreEntry('key', { dir, log })).toBe(false);
    await expect(stat(dir)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('does not find an entry of another folder', async () => {
    await saveEntry('key', { dir, log });
    expect(await restoreEntry('key', { dir: join(store.temp, 'elsewhere'), log })).toBe(false);
  });

  it('warns when the entry exists, because entries never change', async () => {
    await saveEntry('key', { dir, log });
    expect(await saveEntry('key', { dir, log })).toBe(false);
    expect(log.warnings).toEqual([expect.stringContaining('did not take key')]);
    expect(store.service.caches).toHaveLength(1);
  });

  it('warns when the folder is missing or the token may not write', async () => {
    expect(await saveEntry('key', { dir: join(store.temp, 'none'), log })).toBe(false);
    store.asJob('run-1', { ...MAIN, permission: 1 });
    expect(await saveEntry('key', { dir, log })).toBe(false);
    expect(log.warnings).toHaveLength(2);
    expect(store.service.caches).toEqual([]);
  });

  it('treats a cache that can’t be reached as a miss', async () => {
    vi.stubEnv('ACTIONS_RESULTS_URL', 'http://127.0.0.1:1/');
    expect(await restoreEntry('key', { dir, log })).toBe(false);
    expect(await saveEntry('key', { dir, log })).toBe(false);
  });

  it('is quiet where there is no cache', async () => {
    vi.stubEnv('ACTIONS_RESULTS_URL', '');
    expect(await saveEntry('key', { dir, log })).toBe(false);
    expect(await restoreEntry('key', { dir, log })).toBe(false);
    expect(log.warnings).toEqual([]);
    expect(log.debugs).not.toEqual([]);
  });
});
