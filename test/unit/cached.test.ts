import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fromCache } from '../../src/cached.ts';
import { describeFiles } from '../../src/checkpoint/imageFiles.ts';
import type { Report } from '../../src/model/index.ts';
import { CANARY_ENCODINGS } from '../../src/scan/canaries.ts';
import type { Tools } from '../../src/tools.ts';
import { recordingLog } from '../harness/recording-log.ts';
import { sampleReport } from './report-sample.ts';

const folder = mkdtempSync(join(tmpdir(), 'cached-'));
afterAll(() => rmSync(folder, { recursive: true }));

const canaries = CANARY_ENCODINGS.map((encoding) => ({ encoding, sha256: '0'.repeat(64) }));

async function cached(parts: { canaries?: typeof canaries; report?: string }) {
  const directory = mkdtempSync(join(folder, 'cache-'));
  mkdirSync(join(directory, 'checkpoint'));
  writeFileSync(join(directory, 'checkpoint', 'pages-1.img'), 'pages');
  const manifest = {
    ...{ schemaVersion: 1, id: 'id', name: 'app', createdAt: '2026-11-21T07:30:00Z', hookSeconds: 1, capabilities: [] },
    app: { command: ['app'], imageId: 'i', baseImage: 'b' },
    runtime: { version: '10.0.0', processors: 1, memoryLimitBytes: 1, serverGc: false },
    process: { pid: 1, uid: 1, gid: 1, identity: '1:1:', stdout: '', stderr: '', controlIn: '', controlOut: '' },
    host: { kernel: '6', architecture: 'x86_64', cpuFeatures: [], monotonicSeconds: 1 },
    criu: { version: '4' },
    files: await describeFiles(join(directory, 'checkpoint')),
    ...('canaries' in parts && { canaries: parts.canaries }),
  };
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest));
  writeFileSync(join(directory, 'report.json'), parts.report ?? JSON.stringify(sampleReport()));
  const log = recordingLog();
  const cache = { directory, restore: async () => true, parseReport: (value: unknown) => value as Report };
  const taken = await fromCache('key', mkdtempSync(join(folder, 'work-')), { cache, log } as unknown as Tools);
  return { taken, warnings: log.warnings.join() };
}

test('a snapshot with a canary in each encoding is taken from the cache', async () => {
  const { taken, warnings } = await cached({ canaries });
  expect(warnings).toBe('');
  expect(taken?.snapshot.manifest.canaries).toEqual(canaries);
});

test.each([
  ['no canaries', {}],
  ['not one in each encoding', { canaries: canaries.slice(1) }],
])('one with %s is taken anew', async (_what, parts) => {
  const { taken, warnings } = await cached(parts);
  expect(taken).toBeUndefined();
  expect(warnings).toBe('The cached snapshot is not used: a search of it could not prove itself');
});

test('what is no report is not shown', async () => {
  const { taken, warnings } = await cached({ canaries, report: '{"a": s3cret-of-the-app}' });
  expect(taken).toBeUndefined();
  expect(warnings).toBe('The cached snapshot is not used: its report is no JSON');
});
