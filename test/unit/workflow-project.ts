import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../harness/run-workflow.ts';

/** This project's workflows with an action in place of its own that only tells what it got. */
export interface FakeProject {
  /** Its root. */
  root: string;
  /** A caller's checkout, empty. */
  workspace: string;
  /** For the runner's files. */
  machine: string;
  /** Writes a workflow of the caller's and returns its path. */
  caller(content: string): Promise<string>;
  dispose(): Promise<void>;
}

const INPUTS =
  'project dockerfile context build-args target image traffic base-image framework publish-args port ready-path ready-timeout warmup-timeout ' +
  'host ready warmup-command warmup-seconds checkpoint-at before-checkpoint-path after-restore-path production-env may-differ timers hook-timeout isa secrets-at-build name ' +
  'writable mount files-limit ' +
  'tag user env secrets scan scan-policy scan-baseline scan-config scan-key pairs clones cache artifact-name retention-days comment';

const ACTION = `
name: Fake
description: Tells what it got.
inputs:
${INPUTS.split(' ')
  .map((name) => `  ${name}: { description: x, default: default of ${name} }`)
  .join('\n')}
  github-token: { description: x, default: '\${{ github.token }}' }
outputs:
  image: { description: x }
runs: { using: node24, main: main.cjs, post: post.cjs }
`;

const MAIN = `
const { appendFileSync } = require('node:fs');
const inputs = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('INPUT_')));
appendFileSync(process.env.GITHUB_OUTPUT, 'inputs<<END\\n' + JSON.stringify(inputs) + '\\nEND\\n');
appendFileSync(process.env.GITHUB_OUTPUT, 'image=todo-api:restore-ready\\nartifact-id=7\\nstartup-restored-ms=61\\n');
appendFileSync(process.env.GITHUB_STEP_SUMMARY, '# Report\\n');
appendFileSync(process.env.GITHUB_STATE, 'kept=from main\\n');
appendFileSync(process.env.GITHUB_ENV, 'FROM_ACTION=yes\\n');
console.log('::add-mask::hunter2');
console.log('it is hunter2');
console.log('::warning title=A title,file=a%2Cb::two%0Alines');
console.error('node ' + process.versions.node.split('.')[0] + ' on ' + process.env.GITHUB_EVENT_NAME);
process.exitCode = inputs.INPUT_NAME === 'broken' ? 4 : 0;
`;

/** Puts the project into a temporary folder. */
export async function createFakeProject(): Promise<FakeProject> {
  const temp = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-project-'));
  const root = join(temp, 'project');
  const workspace = join(temp, 'workspace');
  await mkdir(workspace);
  await cp(join(PROJECT_ROOT, '.github/workflows'), join(root, '.github/workflows'), { recursive: true });
  for (const folder of [root, join(root, '.github/actions/snapshot')]) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'action.yml'), ACTION);
    await writeFile(join(folder, 'main.cjs'), MAIN);
    await writeFile(join(folder, 'post.cjs'), 'console.log("post: " + process.env.STATE_kept);');
  }
  return {
    root,
    workspace,
    machine: join(temp, 'machine'),
    caller: async (content) => {
      const file = join(temp, 'caller.yml');
      await writeFile(file, content);
      return file;
    },
    dispose: () => rm(temp, { recursive: true, force: true }),
  };
}
