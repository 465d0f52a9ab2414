import { describe, expect, test } from 'vitest';
import { Cleanup } from '../../src/cleanup.ts';
import { Docker } from '../../src/engine/docker.ts';
import type { ContainerInfo } from '../../src/engine/inspect.ts';
import type { Run } from '../../src/exec.ts';
import { readWarmInputs } from '../../src/inputs.ts';
import { type RunningApp, runningApp, settleLater, warmLabels } from '../../src/ondemand.ts';
import type { Tools } from '../../src/tools.ts';
import { recordingLog } from '../harness/recording-log.ts';

const app = {
  reference: 'dotnet-snapshot/shop:app-1',
  id: 'sha256:1',
  command: ['dotnet', 'Shop.dll'],
  user: '1654',
  workingDirectory: '/app',
  env: {},
  baseImage: 'base',
  size: 1,
};
const known = { name: 'shop', source: '0123456789ab', app, runtime: { reference: 'dotnet-snapshot/runtime:1' } };
const prepared = { ...known, keepImage: () => {} };
const options: Record<string, string> = { image: 'shop', 'ready-path': '/healthz', port: '5000', env: 'KEY=value' };
const inputs = readWarmInputs((name) => options[name]);
const traffic = {
  file: 't',
  digest: 'sha256:2',
  exchanges: [
    { repeat: 2, headers: {} },
    { repeat: 3, headers: {} },
  ] as never,
};

const container: ContainerInfo = {
  id: '0123',
  name: 'dotnet-snapshot-shop-1',
  running: true,
  image: 'dotnet-snapshot/shop:warm-1',
  env: { KEY: 'value' },
  labels: warmLabels(inputs, prepared),
  published: [{ container: 5000, host: 40000 }],
};

function engine(found: ContainerInfo | undefined, imageId = app.id): Docker {
  return { container: async () => found, requireImage: async () => ({ id: imageId }) } as unknown as Docker;
}

describe('the label of a warm container', () => {
  test('gives back what a checkpoint needs to know', async () => {
    expect(await runningApp('0123', engine(container))).toMatchObject({
      ...known,
      port: 5000,
      readyPath: '/healthz',
      readyMillis: 60_000,
      container: 'dotnet-snapshot-shop-1',
      warmImage: 'dotnet-snapshot/shop:warm-1',
      env: { KEY: 'value' },
    });
  });

  test('names the traffic where there was some, and never the environment', async () => {
    const labels = warmLabels(inputs, { ...prepared, traffic });
    expect((await runningApp('0123', engine({ ...container, labels }))).traffic).toEqual({
      digest: 'sha256:2',
      requests: 5,
    });
    expect(JSON.stringify(labels)).not.toContain('value');
  });
});

test.each<[string, ContainerInfo | undefined, string]>([
  ['there is none', undefined, 'There is no container 0123.'],
  ['it is another’s', { ...container, labels: {} }, 'The container 0123 was not started by this version’s'],
  ['its label is not ours', { ...container, labels: { 'dotnet-snapshot.warm': '{}' } }, 'was not started by'],
  ['it has ended', { ...container, running: false }, 'The container 0123 is not running.'],
])('a container is refused where %s', async (_why, found, message) => {
  await expect(runningApp('0123', engine(found))).rejects.toMatchObject({
    code: 'DS1007',
    message: expect.stringContaining(message),
  });
});

test('an app whose image was built anew meanwhile is refused', async () => {
  await expect(runningApp('0123', engine(container, 'sha256:9'))).rejects.toMatchObject({ code: 'DS2009' });
});

describe('what is left of a checkpoint on demand', () => {
  async function settled(running: boolean, forget = false): Promise<string[]> {
    const done: string[] = [];
    const docker = {
      container: async () => ({ ...container, running }),
      remove: async (name: string) => done.push(`remove ${name}`),
      removeImage: async (name: string) => done.push(`remove image ${name}`),
    };
    const control = { resume: async () => done.push('resume') };
    const running_ = { container: container.name, app, warmImage: container.image, control } as unknown as RunningApp;
    const cleanup = new Cleanup(recordingLog());
    const forgetIt = settleLater(running_, { docker, cleanup } as unknown as Tools);
    if (forget) forgetIt();
    await cleanup.run();
    return done;
  }

  test('an app that still runs answers again', async () => {
    expect(await settled(true)).toEqual(['resume']);
  });

  test('of one that has ended, container and images go', async () => {
    const images = [container.image, app.reference].map((name) => `remove image ${name}`);
    expect(await settled(false)).toEqual([`remove ${container.name}`, ...images]);
  });

  test('one that was resumed already is left alone', async () => {
    expect(await settled(true, true)).toEqual([]);
  });
});

test('only a container that ends with the run carries the run’s label', async () => {
  const calls: string[] = [];
  const run: Run = async (argv) => {
    calls.push(argv.join(' '));
    return { code: 0, stdout: 'id\n', stderr: '' };
  };
  const docker = new Docker(run, 'run-1');
  await docker.create({ image: 'i' });
  await docker.create({ image: 'i', outlivesRun: true, labels: { own: '1' } });
  expect(calls).toEqual(['docker create --label dotnet-snapshot.run=run-1 i', 'docker create --label own=1 i']);
});
