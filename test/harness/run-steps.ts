import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token';
import { asText, type Contexts, evaluateCondition, evaluateToken, type JobStatus } from './expressions.ts';
import { ensureStatusFunction } from './github-parser.ts';
import type { Job } from './job.ts';
import { actionFileIn, runAction } from './run-action.ts';
import { runStepProcess, type StepOutcome } from './step-process.ts';
import { textMap } from './workflow-file.ts';

/** A step after its turn. */
export interface StepResult {
  id: string;
  /** What ran: `uses` as written, or `run`. */
  kind: string;
  /** `recorded`: an action that only prepares the machine, and was not run. */
  outcome: 'success' | 'failure' | 'skipped' | 'recorded';
  outputs: Record<string, string>;
  /** Inputs of an action, as they were given. */
  with: Record<string, string>;
  /** Log, summary and so on, where something was run. */
  process: StepOutcome | undefined;
}

/** What the steps of a job share. */
export interface StepsEnvironment {
  job: Job;
  contexts: Contexts;
  /** Variables of the workflow and the job. */
  env: Record<string, string>;
  /** Folder of the action that `uses` names, or undefined to record the step only. */
  resolveAction(uses: string): string | undefined;
}

/** Runs a job's steps in order, then the post steps of its actions in reverse. */
export async function runSteps(
  job: MappingToken,
  environment: StepsEnvironment,
): Promise<{ steps: StepResult[]; status: JobStatus }> {
  const results: StepResult[] = [];
  const posts: (() => Promise<StepOutcome>)[] = [];
  let status: JobStatus = 'success';
  const tokens = job.find('steps')!.assertSequence('steps');
  for (let index = 0; index < tokens.count; index++) {
    const token = tokens.get(index).assertMapping('step');
    const { result, post } = await runStep(token, `__${index + 1}`, results, status, environment);
    results.push(result);
    if (post) posts.unshift(post);
    if (result.outcome === 'failure') status = 'failure';
  }
  for (const post of posts) {
    const process = await post();
    const outcome = process.exitCode === 0 ? 'success' : 'failure';
    results.push({ id: `__post${results.length}`, kind: 'post', outcome, outputs: {}, with: {}, process });
    if (outcome === 'failure') status = 'failure';
  }
  return { steps: results, status };
}

const STEP_KEYS = ['id', 'name', 'if', 'uses', 'with', 'run', 'env', 'shell', 'working-directory'];

async function runStep(
  token: MappingToken,
  fallbackId: string,
  earlier: StepResult[],
  status: JobStatus,
  { job, contexts: base, env: jobEnv, resolveAction }: StepsEnvironment,
): Promise<{ result: StepResult; post?: (() => Promise<StepOutcome>) | undefined }> {
  for (const { key } of token) {
    if (!STEP_KEYS.includes(`${key}`)) throw new Error(`The key '${key}' of a step is not supported here.`);
  }
  const steps = Object.fromEntries(earlier.map((step) => [step.id, stepContext(step)]));
  const outer: Contexts = { ...base, steps, env: { ...jobEnv, ...job.added } };
  const own = textMap(token, 'env', outer);
  const env = { ...jobEnv, ...own };
  const contexts: Contexts = { ...outer, env: { ...(outer.env as object), ...own } };

  const uses = token.find('uses')?.assertString('uses').value;
  const id = token.find('id')?.assertString('id').value ?? fallbackId;
  const skipped: StepResult = {
    id,
    kind: uses ?? 'run',
    outcome: 'skipped',
    outputs: {},
    with: {},
    process: undefined,
  };
  if (!evaluateCondition(conditionOf(token), contexts, status)) return { result: skipped };
  if (uses === undefined) {
    const process = await runScript(token, job, env, contexts);
    return { result: { ...skipped, outcome: outcomeOf(process), outputs: process.outputs, process } };
  }
  const inputs = textMap(token, 'with', contexts);
  const folder = resolveAction(uses);
  if (folder === undefined) return { result: { ...skipped, outcome: 'recorded', with: inputs } };
  const { post, ...process } = await runAction(job, actionFileIn(folder), inputs, env);
  return { result: { ...skipped, outcome: outcomeOf(process), outputs: process.outputs, with: inputs, process }, post };
}

/** The condition of a job or a step, with `success()` where it does not ask for the status itself. */
export function conditionOf(token: MappingToken): string {
  const condition = token.find('if');
  if (!condition) return 'success()';
  const text = 'expression' in condition ? String(condition.expression) : condition.assertScalar('if').toString();
  return ensureStatusFunction(text, condition.definitionInfo);
}

async function runScript(token: MappingToken, job: Job, env: Record<string, string>, contexts: Contexts) {
  const text = (key: string) => {
    const value = token.find(key);
    return value && asText(evaluateToken(value, contexts));
  };
  const shell = text('shell');
  if (shell !== undefined && shell !== 'bash') throw new Error(`The shell ${shell} is not supported here.`);
  const script = join(job.files, 'script.sh');
  await writeFile(script, text('run')!);
  const options = shell === undefined ? ['-e'] : ['--noprofile', '--norc', '-eo', 'pipefail'];
  const folder = resolve(job.workspace, text('working-directory') ?? '');
  return await runStepProcess(job, ['bash', ...options, script], env, folder);
}

function stepContext({ outcome, outputs }: StepResult): object {
  const conclusion = outcome === 'recorded' ? 'success' : outcome;
  return { outputs, outcome: conclusion, conclusion };
}

function outcomeOf({ exitCode }: StepOutcome): 'success' | 'failure' {
  return exitCode === 0 ? 'success' : 'failure';
}
