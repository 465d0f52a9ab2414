import { randomUUID } from 'node:crypto';
import { cp, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { Docker } from '../../src/engine/docker.ts';
import { createRun } from '../../src/exec.ts';
import { keepBundle, loadBundle } from '../../src/image/bundleCache.ts';
import { ensureRuntime } from '../../src/image/runtime.ts';
import type { FolderCache } from '../../src/model/index.ts';
import { restoreEntry, saveEntry } from '../../src/store/cache.ts';
import { docker as dockerCommand } from '../harness/cli.ts';
import { type RecordingLog, recordingLog } from '../harness/recording-log.ts';
import { useStore } from '../unit/store-service.ts';

// The bundle's way through a real Docker and GitHub's own cache client. A small image stands for the bundle, so that a
// test may remove it: the bundle of this machine is in use by other tests.
const store = useStore();
const tag = randomUUID().slice(0, 12);
const reference = `dotnet-snapshot-test/runtime:${tag}`;
const another = `dotnet-snapshot-test/another:${tag}`;
const run = createRun(process.env);
const docker = new Docker(run, randomUUID());
let context: string;
let log: RecordingLog;
let cache: FolderCache;

beforeAll(async () => {
  context = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-test-bundle-'));
  await writeFile(join(context, 'launcher'), tag.repeat(1000));
  await writeFile(join(context, 'Dockerfile'), 'FROM scratch\nCOPY launcher /\nCMD ["/launcher"]\n');
});
afterAll(async () => {
  await dockerCommand(['image', 'rm', '--force', reference, another], { mayFail: true });
  await rm(context, { recursive: true, force: true });
});
beforeEach(async () => {
  // An image that only lost its name would keep the layer, and Docker reads no layer that it has.
  await docker.removeImage(reference);
  await docker.build(context, { tag: reference });
  log = recordingLog();
  const directory = join(store.temp, 'bundle');
  cache = {
    directory,
    restore: (key) => restoreEntry(key, { dir: directory, log }),
    save: async (key) => void (await saveEntry(key, { dir: directory, log })),
  };
});

const tools = () => ({ docker, run, log });

/** Changes what was saved: the entry that a later run gets. */
function changeEntry(change: (archive: string) => Promise<void>): void {
  const { restore } = cache;
  cache.restore = async (key) => {
    const found = await restore(key);
    await change(join(cache.directory, 'image.tar'));
    return found;
  };
}

test('a bundle that was built is loaded where it is missing, as the same image', async () => {
  const { id } = await docker.requireImage(reference);
  await keepBundle(reference, cache, tools());
  expect(store.service.caches).toHaveLength(1);
  await docker.removeImage(reference);
  expect(await loadBundle(reference, cache, tools())).toBe(true);
  expect((await docker.requireImage(reference)).id).toBe(id);
  expect(log.warnings).toEqual([]);
});

test('a machine without the bundle takes it from the cache and builds nothing', async () => {
  // Of these sources no bundle could be built.
  const sources = join(store.temp, 'runtime');
  await mkdir(sources);
  for (const name of ['Dockerfile', 'launcher', 'restorer', 'companion', 'criu'])
    await writeFile(join(sources, name), tag);
  const asked: string[] = [];
  const empty = { ...cache, restore: async (key: string) => asked.push(key) < 0 };
  await expect(ensureRuntime(sources, { ...tools(), bundleCache: empty })).rejects.toThrow();
  const missing = `dotnet-snapshot/runtime:${asked[0]!.split('-').at(-1)}`;
  await docker.tag(reference, missing);
  await keepBundle(missing, cache, tools());
  await docker.removeImage(missing);

  expect(await ensureRuntime(sources, { ...tools(), bundleCache: cache })).toEqual({ reference: missing });
  expect(await docker.image(missing)).toBeDefined();
  await docker.removeImage(missing);
});

test('where nothing was kept, the bundle is to be built, without a warning', async () => {
  expect(await loadBundle(reference, cache, tools())).toBe(false);
  expect(await loadBundle(reference, undefined, tools())).toBe(false);
  expect(log.warnings).toEqual([]);
});

test('a bundle of other sources is not taken', async () => {
  await keepBundle(reference, cache, tools());
  expect(await loadBundle('dotnet-snapshot-test/runtime:000000000000', cache, tools())).toBe(false);
});

test('an archive with a changed byte in a layer is not taken', async () => {
  await keepBundle(reference, cache, tools());
  await docker.removeImage(reference);
  changeEntry(async (archive) => {
    const { stdout } = await run(['grep', '--byte-offset', '--only-matching', '--text', '--max-count=1', tag, archive]);
    const file = await open(archive, 'r+');
    await file.write('X', Number.parseInt(stdout, 10));
    await file.close();
  });
  expect(await loadBundle(reference, cache, tools())).toBe(false);
  expect(log.warnings).toEqual([expect.stringContaining('The cached runtime bundle is not used')]);
  expect(await docker.image(reference)).toBeUndefined();
});

test('an entry that is no archive of an image is not taken', async () => {
  await keepBundle(reference, cache, tools());
  changeEntry((archive) => writeFile(archive, 'nothing'));
  expect(await loadBundle(reference, cache, tools())).toBe(false);
  expect(log.warnings).toHaveLength(1);
});

test('an archive of another image is not loaded, and so can’t take that image’s name', async () => {
  await docker.tag(reference, another);
  const saved = join(store.temp, 'another.tar');
  await docker.save(another, saved);
  await docker.removeImage(another);
  await keepBundle(reference, cache, tools());
  changeEntry((archive) => cp(saved, archive));
  expect(await loadBundle(reference, cache, tools())).toBe(false);
  expect(await docker.image(another)).toBeUndefined();
});

test('a cache that refuses, or an image that is gone, costs a warning and no more', async () => {
  store.asJob('run-1', { scope: 'refs/heads/main', permission: 1 });
  await keepBundle(reference, cache, tools());
  expect(log.warnings).toHaveLength(1);
  await docker.removeImage(reference);
  await mkdir(cache.directory, { recursive: true });
  await keepBundle(reference, cache, tools());
  expect(log.warnings).toHaveLength(2);
});
