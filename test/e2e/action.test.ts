import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOutSample } from '../harness/checkout.ts';
import { containersSince, imageTags, removeImages } from '../harness/engine.ts';
import { createJob, type Job } from '../harness/job.ts';
import { ResultsService } from '../harness/results-service.ts';
import { type ActionOutcome, actionFileIn, runAction } from '../harness/run-action.ts';
import { runProgram } from '../harness/run-program.ts';
import { PROJECT_ROOT } from '../harness/run-workflow.ts';
import { push } from '../harness/trigger.ts';

// What the action does when it can't do what it is asked for. test/e2e/workflow.test.ts has the runs that succeed.
const APP = 'action-test';
let temp: string;
let results: ResultsService;
let runId = 500;

beforeAll(async () => {
  temp = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-e2e-'));
  await checkOutSample('todo-api', join(temp, 'workspace/src/App'));
  results = await ResultsService.start();
  await removeImages(APP);
});

afterAll(async () => {
  await results?.close();
  await removeImages(APP);
  await rm(temp, { recursive: true, force: true });
});

const INPUTS = {
  project: 'src/App',
  traffic: 'src/App/traffic.yaml',
  name: APP,
  'ready-path': '/healthz',
  'warmup-timeout': '1',
  pairs: '1',
};

interface Run extends ActionOutcome {
  job: Job;
  /** All that the action wrote to its streams, commands and debug messages included. */
  raw: string;
  /** What it has left in its folder for temporary files. */
  temporary: string[];
  millis: number;
  containers: { made: number; left: string[] };
}

/** Runs the action in a job of its own; `cancelAt` ends the run as soon as the log has such a line. */
async function run(inputs: Record<string, string>, cancelAt?: RegExp): Promise<Run> {
  const job = await createJob({
    trigger: push('octo/app', 'main'),
    workspace: join(temp, 'workspace'),
    machine: join(temp, 'machine'),
    resultsUrl: results.url,
    apiUrl: 'http://127.0.0.1:1',
    runId: runId++,
  });
  const cancellation = new AbortController();
  const since = new Date();
  let start = performance.now();
  let raw = '';
  job.cancelled = cancellation.signal;
  job.onLine = (line) => {
    raw += `${line}\n`;
    if (!cancelAt?.test(line) || cancellation.signal.aborted) return;
    start = performance.now();
    cancellation.abort();
  };
  const temporaryFolder = await mkdtemp(join(temp, 'tmp-'));
  const outcome = await runAction(job, actionFileIn(PROJECT_ROOT), inputs, { TMPDIR: temporaryFolder });
  const millis = performance.now() - start;
  const temporary = (await readdir(temporaryFolder)).filter((name) => name.startsWith('dotnet-snapshot'));
  return { ...outcome, job, raw, temporary, millis, containers: await containersSince(APP, since) };
}

const errorsOf = ({ annotations }: Run) =>
  annotations.filter(({ level }) => level === 'error').map(({ message }) => message);

describe('a secret in the app’s memory', () => {
  // One that is known by its name, and one that the build names.
  const password = randomBytes(18).toString('base64url');
  const named = randomBytes(18).toString('base64url');
  let outcome: Run;

  beforeAll(async () => {
    outcome = await run({
      ...INPUTS,
      env: `DB_PASSWORD=${password}\nGREETING=${named}`,
      'secrets-at-build': 'real',
      secrets: `LICENSE=${named}`,
    });
  });

  it('fails the step and says how many there are', () => {
    expect(outcome.exitCode).toBe(4);
    expect(Number(outcome.outputs.findings)).toBeGreaterThanOrEqual(2);
    const errors = errorsOf(outcome);
    expect(errors.at(-1)).toMatch(/^DS4001: .*Fix: /);
    // One for each value, besides.
    expect(errors.length).toBeGreaterThanOrEqual(3);
    expect(outcome.log).toContain('environment DB_PASSWORD');
    expect(outcome.log).toContain('secret LICENSE');
  });

  it('keeps nothing of the snapshot', async () => {
    expect(outcome.outputs).toEqual({
      findings: expect.any(String),
      'findings-path': expect.stringMatching(/scan\.sarif$/),
    });
    expect(results.artifacts).toEqual([]);
    expect(results.caches).toEqual([]);
    expect(await imageTags(APP)).toEqual(['app']);
    expect(outcome.containers).toEqual({ made: 1, left: [] });
    expect(outcome.temporary).toEqual([]);
    const output = join(outcome.job.temp, 'dotnet-snapshot', APP);
    expect((await filesIn(outcome.job.temp)).sort()).toEqual([join(output, 'scan.json'), join(output, 'scan.sarif')]);
  });

  it('is told nowhere', async () => {
    const places = new Map([
      // A runner shows no add-mask command: it is how the value is kept out of the log.
      ['log', Buffer.from(outcome.raw.replace(/^::add-mask::.*\n/gm, ''))],
      ['outputs', Buffer.from(JSON.stringify(outcome.outputs))],
      ['summary', Buffer.from(outcome.summary)],
      ['state', Buffer.from(JSON.stringify([outcome.state, outcome.job.added]))],
      ['image', Buffer.from(await runProgram(['docker', 'image', 'inspect', `dotnet-snapshot/${APP}:app`]))],
    ]);
    for (const file of await filesIn(join(temp, 'machine'))) places.set(file, await readFile(file));
    for (const [place, content] of places) expect([place, formsIn(content, [password, named])]).toEqual([place, []]);
    expect(places.size).toBeGreaterThan(6);
  });
});

/** The forms of the values that are in the content. */
function formsIn(content: Buffer, values: string[]): string[] {
  const forms = values.flatMap((value) => [
    ['utf-8', Buffer.from(value)] as const,
    ['utf-16le', Buffer.from(value, 'utf16le')] as const,
    // Inside of other base64 a value may begin at any of three places; the first and last character depend on its neighbours.
    ...[0, 1, 2].map((shift) => {
      const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]).toString('base64');
      return [`base64, ${shift}`, Buffer.from(text.replace(/=+$/, '').slice(shift === 0 ? 0 : shift + 1, -1))] as const;
    }),
  ]);
  return forms.filter(([, bytes]) => content.includes(bytes)).map(([form]) => form);
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

describe('an input that can’t be used', () => {
  it.each<[string, Record<string, string>, RegExp]>([
    ['a number that is none', { pairs: 'many' }, /^DS1001: The input pairs is "many"\. Fix: It must be a whole number/],
    ['no traffic', { traffic: '' }, /^DS1001: The input traffic is missing\. Fix: Name the recorded traffic/],
    ['a traffic file that is not there', { traffic: 'none.yaml' }, /^DS1004: .*none\.yaml.* Fix: /],
    ['no app', { project: '' }, /^DS1001: It is not said what to build\. Fix: Give exactly one of project/],
    ['two apps', { image: 'app' }, /^DS1001: project and image exclude each other\. Fix: /],
    ['a project that is not there', { project: 'src/Other' }, /^DS1002: There is no file or folder src\/Other\. Fix: /],
    [
      'a switch that is none',
      { cache: 'maybe' },
      /^DS1001: The input cache is "maybe"\. Fix: It must be true or false/,
    ],
    [
      'one that this run does not come to',
      { comment: 'maybe' },
      /^DS1001: The input comment is "maybe"\. Fix: It must be true or false/,
    ],
    ['days that are none', { 'retention-days': 'ten' }, /^DS1001: The input retention-days is "ten"\. Fix: /],
  ])('%s: one annotation with code and fix', async (_what, inputs, message) => {
    const outcome = await run({ ...INPUTS, ...inputs });
    expect(outcome.annotations).toEqual([
      expect.objectContaining({ level: 'error', message: expect.stringMatching(message) }),
    ]);
    expect(outcome.exitCode).toBe(2);
    expect(outcome.temporary).toEqual([]);
  });

  it('is not told where it may be a secret', async () => {
    const outcome = await run({ ...INPUTS, secrets: 'A=b\nhunter2hunter2' });
    expect(errorsOf(outcome)).toEqual([
      expect.stringMatching(/^DS1001: The input secrets has no "=" in line 2\. Fix: /),
    ]);
    expect(outcome.raw).not.toContain('hunter2');
  });
});

describe('a run that is cancelled', () => {
  it.each([
    ['publishing', /^publishing /],
    ['building images', /^::group::image/],
    ['warming', /^round 1:/],
    ['taking the checkpoint', /^::group::checkpoint/],
    ['verifying', /^::group::verify/],
  ])('while %s leaves nothing, before the runner loses patience', async (_what, line) => {
    const outcome = await run(INPUTS, line);
    expect(errorsOf(outcome)).toEqual([expect.stringMatching(/^DS2007: The run was interrupted by SIGINT\. Fix: /)]);
    expect(outcome.exitCode).toBe(130);
    expect(outcome.millis).toBeLessThan(7500);
    expect(outcome.log).not.toContain('could not clean up');
    expect(outcome.temporary).toEqual([]);
    expect(outcome.containers.left).toEqual([]);
    expect((await imageTags(APP)).filter((tag) => tag !== 'app')).toEqual([]);
    expect(results.artifacts).toEqual([]);
    expect(results.caches).toEqual([]);
  });
});
