import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { locked } from '../../src/lock.ts';
import { silentLog } from '../../src/log.ts';
import { recordingLog } from '../harness/recording-log.ts';

const module = join(import.meta.dirname, '../../src/lock.ts');
const key = `lock test ${process.pid}`;

test('work under one key is done one after the other, under others at the same time', async () => {
  let [now, most] = [0, 0];
  const work = async () => {
    most = Math.max(most, ++now);
    await sleep(20);
    now--;
  };
  await Promise.all([1, 2, 3].map(() => locked(key, 'it works', silentLog, work)));
  expect(most).toBe(1);
  await Promise.all([1, 2, 3].map((number) => locked(`${key} ${number}`, 'it works', silentLog, work)));
  expect(most).toBe(3);
});

test('a lock is free again when its work fails', async () => {
  const failing = locked(key, 'it fails', silentLog, async () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(await locked(key, 'it works', silentLog, async () => 'done')).toBe('done');
});

test('another process is waited for, and its lock ends with it, however it ends', async () => {
  const program = `import { locked } from ${JSON.stringify(module)};
    locked(${JSON.stringify(key)}, '', {}, async () => { console.log('in'); await new Promise((r) => setTimeout(r, 60000)); });`;
  const other = spawn(process.execPath, ['--input-type=module', '--eval', program]);
  await once(other.stdout, 'data');
  const log = recordingLog();
  const waiting = locked(key, 'it holds', log, async () => 'mine');
  await sleep(100);
  expect(log.infos).toEqual(['waiting for another run: it holds']);
  other.kill('SIGKILL');
  expect(await waiting).toBe('mine');
});
