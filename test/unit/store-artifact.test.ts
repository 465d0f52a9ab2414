import { createHash, randomBytes } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DefaultArtifactClient } from '@actions/artifact';
import { describe, expect, it, vi } from 'vitest';
import { uploadArtifact } from '../../src/store/artifact.ts';
import { useStore } from './store-service.ts';

const store = useStore();

async function archive(content: Buffer | string = 'archive'): Promise<string> {
  const file = join(store.temp, 'packed.tar.zst');
  await writeFile(file, content);
  return file;
}

describe('uploadArtifact', () => {
  it('stores the archive as it is, under the name and its ending', async () => {
    const content = randomBytes(20 * 1024 * 1024);
    const stored = await uploadArtifact({ name: 'todo-api', file: await archive(content) });

    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    expect(stored).toEqual({ id: expect.any(Number), name: 'todo-api.tar.zst', digest, size: content.length });
    expect(store.service.artifacts).toHaveLength(1);
    const [artifact] = store.service.artifacts;
    expect(artifact).toMatchObject({ id: stored.id, name: 'todo-api.tar.zst', mimeType: 'application/octet-stream' });
    expect(artifact?.content.equals(content)).toBe(true);
    expect(await readdir(store.temp)).toEqual(['packed.tar.zst']);
  });

  it('keeps a name that has the ending already', async () => {
    const { name } = await uploadArtifact({ name: 'api.tar.zst', file: await archive() });
    expect(name).toBe('api.tar.zst');
  });

  it('is downloaded by the toolkit as the same file', async () => {
    const { id } = await uploadArtifact({ name: 'todo-api', file: await archive('snapshot') });
    const client = new DefaultArtifactClient();
    await client.downloadArtifact(id, { path: join(store.temp, 'down') });
    expect(await readFile(join(store.temp, 'down', 'todo-api.tar.zst'), 'utf8')).toBe('snapshot');
  });

  it('asks for the retention', async () => {
    await uploadArtifact({ name: 'api', file: await archive(), retentionDays: 5 });
    const expires = Date.parse(store.service.artifacts[0]?.expiresAt ?? '');
    expect((expires - Date.now()) / 86_400_000).toBeCloseTo(5, 0);
  });

  it('says that the name is taken in this run, but not in the next', async () => {
    const file = await archive();
    await uploadArtifact({ name: 'api', file });
    await expect(uploadArtifact({ name: 'api', file })).rejects.toMatchObject({
      code: 'DS6001',
      message: 'This run already has an artifact named api.tar.zst.',
      fix: expect.stringContaining('artifact-name'),
      detail: expect.stringContaining('409'),
    });
    store.asJob('run-2');
    await expect(uploadArtifact({ name: 'api', file })).resolves.toMatchObject({ name: 'api.tar.zst' });
  });

  it('tells what the service or the client refused', async () => {
    const file = await archive();
    await expect(uploadArtifact({ name: 'a/b', file })).rejects.toMatchObject({ code: 'DS6001' });
    await expect(uploadArtifact({ name: 'a:b', file })).rejects.toMatchObject({
      code: 'DS6001',
      detail: expect.stringContaining('Colon'),
    });
    vi.stubEnv('ACTIONS_RUNTIME_TOKEN', '');
    await expect(uploadArtifact({ name: 'api', file })).rejects.toMatchObject({
      code: 'DS6001',
      detail: expect.stringContaining('ACTIONS_RUNTIME_TOKEN'),
    });
    expect(store.service.artifacts).toEqual([]);
  });
});
