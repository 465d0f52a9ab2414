import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token';
import { asText, type Contexts, evaluateCondition, evaluateToken } from './expressions.ts';
import type { Permissions } from './github-api.ts';
import { createJob, githubContext, type JobOptions } from './job.ts';
import { conditionOf, runSteps, type StepResult } from './run-steps.ts';
import { bindInputs, mappingOf, parseWorkflowFile, permissionsOf, requireTriggered, textMap } from './workflow-file.ts';

/** Root of this project. */
export const PROJECT_ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A run of a workflow that calls this project. The workspace is the caller's repository as it is checked out. */
export interface WorkflowRequest extends Omit<JobOptions, 'permissions' | 'jobId'> {
  /** The caller's workflow file. */
  file: string;
  /** What the caller knows this project by, `owner/name`. */
  project: string;
  /** What it gets under that name, whatever the version; this project's own files when absent. */
  projectRoot?: string;
  secrets?: Record<string, string>;
  /** What the repository's settings allow a token where a workflow does not say. */
  defaultPermissions?: Permissions;
}

/** A finished job, or a call of a workflow with the jobs that it ran. */
export interface JobResult {
  result: 'success' | 'failure' | 'skipped';
  outputs: Record<string, string>;
  permissions: Permissions;
  steps: StepResult[];
  jobs: Record<string, JobResult>;
}

interface Scope {
  request: WorkflowRequest;
  workflow: MappingToken;
  /** Folder of the repository that the workflow file is part of. */
  home: string;
  inputs: Record<string, unknown>;
  secrets: Record<string, string>;
  /** What a job may do that does not say. */
  permissions: Permissions;
  /** In a called workflow: what the calling job may do. */
  limit?: Permissions;
}

/**
 * Runs a caller's workflow with GitHub's own parser and evaluator: jobs in the order of `needs`, calls of this project's
 * workflows, `run` steps, and this project's action, which is really run. Actions that only prepare a machine are recorded,
 * not run. Throws for whatever it can't do, as for what GitHub would refuse; a step that fails is a result.
 */
export async function runWorkflow(request: WorkflowRequest): Promise<Record<string, JobResult>> {
  const home = request.workspace;
  const workflow = await parse(request, basename(request.file), await readFile(request.file, 'utf8'), home);
  requireTriggered(workflow, request.trigger);
  const granted = request.defaultPermissions ?? { contents: 'read', packages: 'read' };
  const permissions = permissionsOf(workflow, 'The workflow', granted);
  const secrets = request.trigger.fromFork ? {} : (request.secrets ?? {});
  return await runJobs({ request, workflow, home, inputs: {}, secrets, permissions });
}

async function parse(request: WorkflowRequest, name: string, content: string, home: string): Promise<MappingToken> {
  return await parseWorkflowFile(name, content, (uses) => readFile(locate(request, uses, home), 'utf8'));
}

/** The path of a file or folder of this project, or of the repository at `home`, that `uses` names. */
function locate(request: WorkflowRequest, uses: string, home: string): string {
  // The runner takes `$/` for this only with a path behind it.
  if (uses.startsWith('./') || /^\$\/[^/]/.test(uses)) return join(home, uses.slice(2));
  const [name, version] = uses.split('@');
  const [owner, repository, ...path] = (name ?? '').split('/');
  if (!version) throw new Error(`Expected format {org}/{repo}[/path]@ref. Actual '${uses}'`);
  if (`${owner}/${repository}` !== request.project) throw new Error(`${uses} is not known here.`);
  return join(projectRoot(request), ...path);
}

function projectRoot(request: WorkflowRequest): string {
  return request.projectRoot ?? PROJECT_ROOT;
}

async function runJobs(scope: Scope): Promise<Record<string, JobResult>> {
  const results: Record<string, JobResult> = {};
  const waiting = new Map(mappingOf(scope.workflow, 'jobs'));
  while (waiting.size > 0) {
    const ready = [...waiting].find(([, job]) => needsOf(job.assertMapping('job')).every((id) => id in results));
    if (!ready) throw new Error('The jobs need one another.');
    const [id, token] = ready;
    waiting.delete(id);
    results[id] = await runJob(scope, id, token.assertMapping(id), results);
  }
  return results;
}

function needsOf(job: MappingToken): string[] {
  const needs = job.find('needs');
  return needs ? [evaluateToken(needs, {})].flat().map(String) : [];
}

const JOB_KEYS = ['name', 'needs', 'if', 'permissions', 'runs-on', 'timeout-minutes', 'env', 'outputs', 'steps'];
const CALL_KEYS = ['name', 'needs', 'if', 'permissions', 'uses', 'with', 'secrets'];

async function runJob(
  scope: Scope,
  id: string,
  token: MappingToken,
  done: Record<string, JobResult>,
): Promise<JobResult> {
  const { request } = scope;
  const uses = token.find('uses')?.assertString('uses').value;
  requireKeys(token, uses === undefined ? JOB_KEYS : CALL_KEYS);
  const permissions = permissionsOf(token, `The job '${id}'`, scope.permissions, scope.limit);
  const options: JobOptions = { ...request, permissions, jobId: id };
  const needed = needsOf(token).map((name) => [name, done[name]!] as const);
  const needs = Object.fromEntries(needed.map(([name, { result, outputs }]) => [name, { result, outputs }]));
  const contexts: Contexts = { github: githubContext(options), inputs: scope.inputs, vars: {}, needs };
  const status = needed.every(([, { result }]) => result === 'success') ? 'success' : 'failure';
  if (!evaluateCondition(conditionOf(token), contexts, status)) {
    return { result: 'skipped', outputs: {}, permissions, steps: [], jobs: {} };
  }
  if (uses !== undefined) return await runCall(scope, token, uses, permissions, contexts);
  return { ...(await runOrdinary(scope, token, options, contexts)), permissions, jobs: {} };
}

async function runOrdinary(scope: Scope, token: MappingToken, options: JobOptions, base: Contexts) {
  const job = await createJob(options);
  for (const value of Object.values(scope.secrets)) if (value !== '') job.masks.add(value);
  const secrets = { ...scope.secrets, GITHUB_TOKEN: job.github.token };
  const contexts: Contexts = { ...base, secrets, runner: job.runner, job: {} };
  const env = { ...textMap(scope.workflow, 'env', contexts), ...textMap(token, 'env', contexts) };
  const resolveAction = (uses: string) => actionFolder(scope, uses);
  const { steps, status } = await runSteps(token, { job, contexts, env, resolveAction });
  const finished = Object.fromEntries(steps.map((step) => [step.id, step]));
  const outputs = textMap(token, 'outputs', { ...contexts, env, steps: finished });
  return { result: status, outputs, steps };
}

/** Folder of an action of this project or of the caller's, or undefined for one that only prepares the machine. */
function actionFolder({ request, home }: Scope, uses: string): string | undefined {
  if (
    /^(actions\/(checkout|setup-dotnet|setup-node|upload-artifact|download-artifact)|docker\/login-action)@/.test(uses)
  ) {
    return undefined;
  }
  return locate(request, uses, uses.startsWith('./') ? request.workspace : home);
}

async function runCall(
  scope: Scope,
  token: MappingToken,
  uses: string,
  permissions: Permissions,
  contexts: Contexts,
): Promise<JobResult> {
  const { request } = scope;
  const file = locate(request, uses, scope.home);
  const home = /^[.$]\//.test(uses) ? scope.home : projectRoot(request);
  const workflow = await parse(request, uses, await readFile(file, 'utf8'), home);
  const given = Object.fromEntries(
    mappingOf(token, 'with').map(([name, value]) => [name, evaluateToken(value, contexts)]),
  );
  const called: Scope = {
    request,
    workflow,
    home,
    inputs: bindInputs(workflow, given),
    secrets: passSecrets(scope, token, contexts),
    permissions: permissionsOf(workflow, `The workflow '${uses}'`, permissions, permissions),
    limit: permissions,
  };
  const jobs = await runJobs(called);
  const call = workflow.find('on')!.assertMapping('on').find('workflow_call')?.assertMapping('workflow_call');
  const outputs = (call ? mappingOf(call, 'outputs') : []).map(([name, definition]) => {
    const { value } = evaluateToken(definition, { ...contexts, inputs: called.inputs, jobs }) as { value: unknown };
    return [name, asText(value)];
  });
  const result = Object.values(jobs).some((job) => job.result === 'failure') ? 'failure' : 'success';
  return { result, outputs: Object.fromEntries(outputs), permissions, steps: [], jobs };
}

function passSecrets(scope: Scope, token: MappingToken, contexts: Contexts): Record<string, string> {
  const passed = token.find('secrets');
  if (passed && !('find' in passed)) return scope.secrets;
  return textMap(token, 'secrets', { ...contexts, secrets: scope.secrets });
}

function requireKeys(owner: MappingToken, known: string[]): void {
  for (const { key } of owner) {
    if (!known.includes(`${key}`)) throw new Error(`The key '${key}' is not supported here.`);
  }
}
