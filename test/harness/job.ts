import { randomUUID } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createApiToken, type Permissions } from './github-api.ts';
import { type CacheScope, createRuntimeToken } from './runtime-token.ts';
import type { Trigger } from './trigger.ts';

/** What a job is made from. */
export interface JobOptions {
  trigger: Trigger;
  /** The checked-out repository. */
  workspace: string;
  /**
   * Folder for what a runner keeps on its machine. Give all jobs the same: paths are part of a cache entry's identity, and
   * on GitHub's machines they are always the same. One job at a time.
   */
  machine: string;
  /** Addresses of the results service and of GitHub's API. */
  resultsUrl: string;
  apiUrl: string;
  /** What the job's token may do. */
  permissions?: Permissions;
  /** Each new run needs another. */
  runId?: number;
  jobId?: string;
}

/** One job on its runner: what every one of its steps gets, and what they leave for the next. */
export interface Job {
  workspace: string;
  /** Folder for the runner's own files. */
  files: string;
  /** RUNNER_TEMP, empty at first. */
  temp: string;
  /** The `github` context. */
  github: GitHubContext;
  /** The `runner` context. */
  runner: Record<string, string>;
  /** What the runner and its machine set for each step. */
  env: Record<string, string>;
  /** What steps have set for later ones through GITHUB_ENV. */
  added: Record<string, string>;
  /** Values that the log must not show. */
  masks: Set<string>;
  /** Called with each line that a step writes, as it is: unmasked, commands and debug messages included. */
  onLine?: (line: string) => void;
  /** Aborted: somebody cancels the run. */
  cancelled?: AbortSignal;
}

/** The `github` context: texts, but for the event. */
export type GitHubContext = Record<string, unknown> & { token: string };

/** A new job on the machine, of which nothing is left that an earlier one put there. */
export async function createJob(options: JobOptions): Promise<Job> {
  const { trigger, workspace, machine, resultsUrl, runId = 100 } = options;
  const [files, temp] = [join(machine, '_runner'), join(machine, '_temp')];
  for (const folder of [files, temp]) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
  }
  const github = githubContext(options);
  await writeFile(String(github.event_path), JSON.stringify(trigger.event));
  const runner = { os: 'Linux', arch: 'X64', name: 'test', temp, environment: 'github-hosted' };
  const env = {
    ...machineEnvironment(),
    CI: 'true',
    GITHUB_ACTIONS: 'true',
    ...prefixed('GITHUB_', github),
    ...prefixed('RUNNER_', runner),
    ACTIONS_RESULTS_URL: resultsUrl,
    ACTIONS_RUNTIME_URL: resultsUrl,
    ACTIONS_CACHE_SERVICE_V2: 'True',
    ACTIONS_RUNTIME_TOKEN: createRuntimeToken({
      run: String(runId),
      job: randomUUID(),
      scopes: cacheScopes(trigger),
    }),
  };
  return { workspace, files, temp, github, runner, env, added: {}, masks: new Set([github.token]) };
}

/** The `github` context of a job. */
export function githubContext(options: JobOptions): GitHubContext {
  const {
    trigger,
    workspace,
    machine,
    apiUrl,
    permissions = { contents: 'read' },
    runId = 100,
    jobId = 'job',
  } = options;
  return {
    token: createApiToken(trigger.fromFork ? readOnly(permissions) : permissions),
    event: trigger.event,
    event_name: trigger.eventName,
    event_path: join(machine, '_runner', 'event.json'),
    repository: trigger.repository,
    repository_owner: trigger.repository.split('/')[0],
    ref: trigger.ref,
    ref_name: trigger.ref.replace(/^refs\/(heads|tags|pull)\//, ''),
    ref_type: trigger.ref.startsWith('refs/tags/') ? 'tag' : 'branch',
    base_ref: trigger.baseRef ?? '',
    head_ref: trigger.headRef ?? '',
    sha: trigger.sha,
    run_id: String(runId),
    run_number: '1',
    run_attempt: '1',
    job: jobId,
    workflow: 'snapshot',
    actor: 'octocat',
    triggering_actor: 'octocat',
    workspace,
    server_url: 'https://github.com',
    api_url: apiUrl,
    graphql_url: `${apiUrl}/graphql`,
  };
}

function readOnly(permissions: Permissions): Permissions {
  return Object.fromEntries(
    Object.entries(permissions).map(([scope, level]) => [scope, level === 'none' ? level : 'read']),
  );
}

/** A run reads and writes its own ref's entries and reads those of the base branch and of the default branch. */
function cacheScopes({ ref, baseRef }: Trigger): CacheScope[] {
  const readable = [...(baseRef ? [`refs/heads/${baseRef}`] : []), 'refs/heads/main'].filter((scope) => scope !== ref);
  return [{ scope: ref, permission: 3 }, ...[...new Set(readable)].map((scope) => ({ scope, permission: 1 }))];
}

/** The token and the event are not given to steps as variables. */
function prefixed(prefix: string, context: Record<string, unknown>): Record<string, string> {
  const entries = Object.entries(context).filter(([key, value]) => typeof value === 'string' && key !== 'token');
  return Object.fromEntries(entries.map(([key, value]) => [prefix + key.toUpperCase(), String(value)]));
}

/** What a runner's machine has set already, without what the test runner adds. */
function machineEnvironment(): Record<string, string> {
  const foreign = /^(GITHUB_|RUNNER_|ACTIONS_|INPUT_|STATE_|VITEST|NODE_|npm_|TEST$|DEV$|PROD$|MODE$|BASE_URL$|SSR$)/;
  const entries = Object.entries(process.env).filter(([name, value]) => value !== undefined && !foreign.test(name));
  return Object.fromEntries(entries) as Record<string, string>;
}
