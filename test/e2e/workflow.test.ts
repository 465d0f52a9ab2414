import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readManifest } from '../../src/checkpoint/checkpoint.ts';
import { isIntact } from '../../src/checkpoint/imageFiles.ts';
import { unpackArchive } from '../../src/store/archive.ts';
import { checkOutSample } from '../harness/checkout.ts';
import { removeImages } from '../harness/engine.ts';
import { GitHubApi } from '../harness/github-api.ts';
import { ResultsService, type UploadedArtifact } from '../harness/results-service.ts';
import { runProgram } from '../harness/run-program.ts';
import { type JobResult, PROJECT_ROOT, runWorkflow } from '../harness/run-workflow.ts';
import { pullRequest, push, type Trigger } from '../harness/trigger.ts';

// A repository with the todo API in it copies workflows/pull-request.yml as it is and lives with it for a while.
const REPOSITORY = 'octo/app';
let temp: string;
let results: ResultsService;
let api: GitHubApi;
let runId = 100;

beforeAll(async () => {
  temp = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-e2e-'));
  await checkOutSample('todo-api', join(temp, 'workspace/src/App'));
  results = await ResultsService.start();
  api = await GitHubApi.start(REPOSITORY);
});

afterAll(async () => {
  await Promise.all([results?.close(), api?.close()]);
  await removeImages('app');
  await rm(temp, { recursive: true, force: true });
});

/** Runs the caller's workflow; the log of a step that failed is what the test fails with. */
async function run(trigger: Trigger) {
  const jobs = await runWorkflow({
    file: join(PROJECT_ROOT, 'workflows/pull-request.yml'),
    trigger,
    workspace: join(temp, 'workspace'),
    machine: join(temp, 'machine'),
    project: 'OWNER/dotnet-snapshot',
    resultsUrl: results.url,
    apiUrl: api.url,
    runId: runId++,
  });
  const call = jobs.snapshot as JobResult;
  const steps = call.jobs.snapshot?.steps ?? [];
  const failed = steps.find(({ outcome }) => outcome === 'failure');
  if (failed) throw new Error(`${failed.kind} failed:\n${failed.process?.log}`);
  const step = steps.find(({ id }) => id === 'snapshot')?.process;
  if (!step) throw new Error('The action did not run.');
  return { outputs: call.outputs, step };
}

describe('a repository that uses the workflow', () => {
  it('gets a snapshot and a baseline from a push to its main branch', async () => {
    const { outputs, step } = await run(push(REPOSITORY, 'main'));

    expect(outputs['cache-hit']).toBe('false');
    expect(Number(outputs['startup-restored-ms'])).toBeGreaterThan(0);
    expect(Number(outputs['startup-restored-ms'])).toBeLessThan(Number(outputs['startup-cold-ms']));
    expect(outputs.findings).toBe('0');
    expect(step.summary).toContain('Start to first response');
    expect(api.comments).toEqual([]);
    expect(results.caches.map(({ key }) => key)).toContainEqual(expect.stringMatching(/^dotnet-snapshot-report-v1\//));
    await runProgram(['docker', 'image', 'inspect', outputs.image ?? '']);
  });

  it('finds the snapshot in the artifact', async () => {
    const [artifact, ...others] = results.artifacts as [UploadedArtifact];
    expect(others).toEqual([]);
    expect(artifact.name).toBe('dotnet-snapshot-app.tar.zst');
    const file = join(temp, artifact.name);
    await writeFile(file, artifact.content);
    const folder = join(temp, 'snapshot');
    await unpackArchive(runProgram, file, folder);
    expect((await readdir(folder)).sort()).toEqual(['checkpoint', 'manifest.json']);

    const manifest = await readManifest(join(folder, 'manifest.json'));
    expect(manifest).toMatchObject({ name: 'app', scan: { verdict: 'clean' } });
    expect(Object.keys(manifest.files)).toEqual(expect.arrayContaining(['inventory.img', 'pages-1.img', 'pstree.img']));
    expect(await isIntact(join(folder, 'checkpoint'), manifest)).toBe(true);
  });

  it('gets a comment on a pull request, compared with main', async () => {
    const { outputs } = await run(pullRequest(REPOSITORY, 7));

    expect(outputs['cache-hit']).toBe('true');
    expect(api.comments).toHaveLength(1);
    expect(api.comments[0]).toMatchObject({ issue: 7, body: expect.stringMatching(/^<!-- dotnet-snapshot:/) });
    expect(api.comments[0]?.body).toContain('Against the base branch');
  });

  it('has one comment still after the next push to the pull request', async () => {
    const before = api.comments[0]?.id;
    await run(pullRequest(REPOSITORY, 7));
    expect(api.comments.map(({ id }) => id)).toEqual([before]);
    expect(api.requests.filter((request) => /^(POST|PATCH) .*comments/.test(request))).toEqual([
      'POST /repos/octo/app/issues/7/comments',
      `PATCH /repos/octo/app/issues/comments/${before}`,
    ]);
  });

  it('gets a warning instead on a pull request from a fork', async () => {
    const { step } = await run(pullRequest(REPOSITORY, 8, { fork: 'mallory/app' }));

    expect(api.comments.filter(({ issue }) => issue === 8)).toEqual([]);
    const warnings = step.annotations.filter(({ level }) => level === 'warning');
    expect(warnings).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('pull-requests: write') }),
    );
    expect(step.summary).toContain('Start to first response');
  });
});
