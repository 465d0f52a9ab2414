import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PROJECT_ROOT, runWorkflow, type WorkflowRequest } from '../harness/run-workflow.ts';
import { parseFileCommand } from '../harness/step-process.ts';
import { pullRequest, push } from '../harness/trigger.ts';
import { createFakeProject, type FakeProject } from './workflow-project.ts';

let project: FakeProject;

beforeEach(async () => {
  project = await createFakeProject();
});

afterEach(() => project.dispose());

async function run(content: string, changes: Partial<WorkflowRequest> = {}) {
  return await runWorkflow({
    file: await project.caller(content),
    trigger: push('octo/app', 'main'),
    workspace: project.workspace,
    project: 'OWNER/dotnet-snapshot',
    projectRoot: project.root,
    machine: project.machine,
    resultsUrl: 'http://127.0.0.1:1/',
    apiUrl: 'http://127.0.0.1:1',
    ...changes,
  });
}

const CALL = `
on: [push, pull_request]
jobs:
  snapshot:
    permissions: { contents: read, pull-requests: write }
    uses: OWNER/dotnet-snapshot/.github/workflows/snapshot.yml@v1
`;

describe('the reusable workflow', () => {
  it('hands the action what it was given, and defaults for the rest', async () => {
    const results = await run(
      `${CALL}
    with: { project: src/App, traffic: traffic.yaml, name: todo-api, port: 5000, comment: false, dotnet-version: 10.0.x }
    secrets: { known-secrets: "\${{ secrets.KNOWN }}" }
  after:
    needs: snapshot
    runs-on: ubuntu-24.04
    steps:
      - env: { IMAGE: "\${{ needs.snapshot.outputs.image }}", MILLIS: "\${{ needs.snapshot.outputs.startup-restored-ms }}" }
        run: echo "$IMAGE $MILLIS"
`,
      { secrets: { KNOWN: 'PASSWORD=correct horse' } },
    );
    const steps = results.snapshot?.jobs.snapshot?.steps ?? [];
    expect(steps.map(({ kind, outcome }) => [kind.replace(/@.*/, ''), outcome])).toEqual([
      ['actions/checkout', 'recorded'],
      ['actions/setup-dotnet', 'recorded'],
      ['$/.github/actions/snapshot', 'success'],
      ['post', 'success'],
    ]);
    expect(steps[0]?.with).toEqual({ 'persist-credentials': 'false' });
    expect(JSON.parse(steps[2]?.outputs.inputs ?? '')).toMatchObject({
      INPUT_PROJECT: 'src/App',
      INPUT_PORT: '5000',
      'INPUT_READY-PATH': '/',
      INPUT_SECRETS: 'PASSWORD=correct horse',
      INPUT_COMMENT: 'false',
      INPUT_CACHE: 'true',
      'INPUT_GITHUB-TOKEN': expect.stringMatching(/^test-/),
    });
    expect(results.snapshot?.outputs).toMatchObject({ image: 'todo-api:restore-ready', 'artifact-id': '7' });
    expect(results.after?.steps[0]?.process?.log).toBe('todo-api:restore-ready 61\n');
  });

  it('is what the callers to copy call', async () => {
    const results = await runWorkflow({
      file: join(PROJECT_ROOT, 'workflows/pull-request.yml'),
      trigger: pullRequest('octo/app', 7),
      workspace: project.workspace,
      project: 'OWNER/dotnet-snapshot',
      projectRoot: project.root,
      machine: project.machine,
      resultsUrl: 'http://127.0.0.1:1/',
      apiUrl: 'http://127.0.0.1:1',
    });
    expect(results.snapshot).toMatchObject({ result: 'success', permissions: { 'pull-requests': 'write' } });
  });

  it('fails the caller when the action fails, and skips what needs it', async () => {
    const results = await run(`${CALL}
    with: { name: broken, traffic: traffic.yaml }
  after: { needs: [snapshot], runs-on: x, steps: [{ run: "false" }] }
  always: { needs: [snapshot], if: "always() && github.ref == 'refs/heads/main'", runs-on: x, steps: [{ run: "true" }] }
`);
    expect(Object.entries(results).map(([id, { result }]) => [id, result])).toEqual([
      ['snapshot', 'failure'],
      ['after', 'skipped'],
      ['always', 'success'],
    ]);
  });

  it.each([
    ['an input that it lacks', `${CALL}\n    with: { traffic: x, projet: x }`, /projet is not defined/],
    [
      'an input of another type',
      `${CALL}\n    with: { traffic: x, port: "8080" }`,
      /port is of type number, not string/,
    ],
    [
      'a caller that may not comment',
      `${CALL.replace('write', 'read')}\n    with: { traffic: x }`,
      /requesting 'pull-requests: write', but is only/,
    ],
    ['a secret that it lacks', `${CALL}\n    with: { traffic: x }\n    secrets: { other: x }`, /other is not defined/],
    ['another project', CALL.replace('OWNER/', 'SOMEONE/'), /reusable workflow/],
  ])('refuses %s', async (_what, content, message) => {
    await expect(run(content)).rejects.toThrow(message);
  });
});

describe('the driver', () => {
  const job = (steps: string) => `
on: { push: { branches: [main, "release/*"] }, pull_request: }
env: { LEVEL: workflow }
jobs:
  one:
    runs-on: ubuntu-24.04
    env: { JOB: "\${{ github.repository_owner }}" }
    outputs: { said: "\${{ steps.say.outputs.said }}" }
    steps:
${steps.trim().replace(/^/gm, '      ')}
`;

  it('runs an action as the runner does', async () => {
    const { one } = await run(
      job(`- uses: OWNER/dotnet-snapshot@v1\n- run: echo "$FROM_ACTION \${{ env.FROM_ACTION }}"`),
    );
    const [action, script, post] = one?.steps ?? [];
    expect(action?.process).toMatchObject({
      exitCode: 0,
      summary: '# Report\n',
      annotations: [{ level: 'warning', message: 'two\nlines', properties: { title: 'A title', file: 'a,b' } }],
      state: { kept: 'from main' },
    });
    expect(action?.process?.log).toContain('it is ***\n');
    expect(action?.process?.log).not.toMatch(/hunter2|add-mask/);
    expect(action?.process?.log).toContain('node 24 on push\n');
    expect(script?.process?.log).toBe('yes yes\n');
    expect(post?.process?.log).toBe('post: from main\n');
  });

  it('runs scripts with the environment, conditions and outputs of their job', async () => {
    const { one } = await run(
      job(`
- id: say
  env: { STEP: "\${{ env.LEVEL }} \${{ 1 == 1 }}" }
  run: |
    echo "said=$LEVEL/$JOB/$STEP/$GITHUB_REF_NAME" >> "$GITHUB_OUTPUT"
- if: steps.say.outputs.said == ''
  run: exit 9
- shell: bash
  run: false | true
- run: exit 9
- if: failure()
  run: echo too late
`),
    );
    expect(one?.result).toBe('failure');
    expect(one?.outputs).toEqual({ said: 'workflow/octo/workflow true/main' });
    expect(one?.steps.map(({ outcome }) => outcome)).toEqual(['success', 'skipped', 'failure', 'skipped', 'success']);
  });

  it('gives a pull request from a fork a token that only reads, and no secrets', async () => {
    const content = `${CALL.replace('name: x', '')}
    with: { traffic: traffic.yaml }
    secrets: { known-secrets: "\${{ secrets.KNOWN }}" }`;
    const trigger = pullRequest('octo/app', 7, { fork: 'mallory/app' });
    const { snapshot } = await run(content, { trigger, secrets: { KNOWN: 'A=b' } });
    const inputs = JSON.parse(snapshot?.jobs.snapshot?.steps.find(({ id }) => id === 'snapshot')?.outputs.inputs ?? '');
    const token = Buffer.from(inputs['INPUT_GITHUB-TOKEN'].replace('test-', ''), 'base64url').toString();
    expect(inputs.INPUT_SECRETS).toBe('');
    expect(JSON.parse(token)).toEqual({ contents: 'read', 'pull-requests': 'read' });
  });

  it.each([
    ['an input that the action lacks', '- uses: OWNER/dotnet-snapshot@v1\n  with: { projet: x }', /Unexpected input/],
    ['an action that it does not know', '- uses: someone/else@v1', /not known here/],
    ['a reference to the root that runners refuse', '- uses: $/', /Expected format/],
    ['a context that is not there', `- run: echo \${{ matrix.os }}`, /matrix/],
    ['a function that it lacks', `- run: echo \${{ hashFiles(1) }}`, /hashFiles/],
    ['a key that it lacks', '- run: "true"\n  timeout-minutes: 5', /timeout-minutes/],
    ['another shell', '- run: "true"\n  shell: pwsh', /pwsh/],
    ['an invalid file', '- nonsense: 1', /not valid/],
  ])('refuses %s', async (_what, steps, message) => {
    await expect(run(job(steps))).rejects.toThrow(message);
  });

  it('minds the filters of the trigger', async () => {
    await expect(run(job('- run: "true"'), { trigger: push('octo/app', 'topic') })).rejects.toThrow(/filters/);
    await expect(run(job('- run: "true"'), { trigger: push('octo/app', 'release/1') })).resolves.toBeDefined();
    await expect(run('on: pull_request\njobs: { a: { runs-on: x, steps: [{ run: x }] } }')).rejects.toThrow(/on push/);
  });
});

describe('parseFileCommand', () => {
  it('reads both forms', () => {
    expect(parseFileCommand('a=1=2\nb<<END\nx\n\na=y\nEND\nc=\n')).toEqual({ a: '1=2', b: 'x\n\na=y', c: '' });
  });

  it('refuses what the runner refuses', () => {
    expect(() => parseFileCommand('no value\n')).toThrow("Invalid format 'no value'");
    expect(() => parseFileCommand('a<<END\n1\n')).toThrow("delimiter not found 'END'");
  });
});
