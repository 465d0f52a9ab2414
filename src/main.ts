import { appendFileSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as core from '@actions/core';
import { context } from '@actions/github';
import { SnapshotError } from './errors.ts';
import { readInputs } from './inputs.ts';
import type { Log } from './log.ts';
import type { FolderCache, Report } from './model/index.ts';
import { appName } from './naming.ts';
import { ACTION_OPTIONS, type ActionOptionName, type Option } from './options.ts';
import { clearOutput, outputFiles, writeOutcome, writeScan } from './output.ts';
import { build, type Outcome } from './pipeline.ts';
import { upsertComment } from './report/comment.ts';
import { markdownCode } from './report/escape.ts';
import { renderMarkdown } from './report/markdown.ts';
import { findingsToAnnotations } from './scan/present/index.ts';
import { createSession, runSession } from './session.ts';
import { packDirectory } from './store/archive.ts';
import { uploadArtifact } from './store/artifact.ts';
import { loadBaseline, saveBaseline } from './store/baseline.ts';
import { restoreEntry, saveEntry } from './store/cache.ts';
import { reportSchema } from './store/report-schema.ts';
import type { Tools } from './tools.ts';

/** The action: reads inputs, runs the pipeline, stores and presents the result. */
async function main(): Promise<number> {
  const log = actionLog();
  const session = createSession(log, withoutInputs(process.env));
  const { tools } = session;
  return runSession(
    session,
    async () => {
      const inputs = readInputs((name) => core.getInput(name));
      for (const { value } of inputs.secrets) core.setSecret(value);
      if (inputs.scan.key !== undefined) core.setSecret(inputs.scan.key);
      const settings = readSettings();
      const temporary = process.env.RUNNER_TEMP ?? '.';
      const output = inputs.output ?? join(temporary, 'dotnet-snapshot', await appName(inputs));
      await clearOutput(output);
      if (settings.cache) {
        const directory = join(temporary, 'dotnet-snapshot-cache');
        tools.cache = { ...folderCache(directory, log), parseReport: (value) => reportSchema.parse(value) };
        tools.bundleCache = folderCache(join(temporary, 'dotnet-snapshot-runtime-cache'), log);
      }
      if (process.env.GITHUB_SHA) tools.commit = process.env.GITHUB_SHA;

      const outcome = await build(inputs, tools, async (scan) => {
        await writeScan(output, scan);
        core.setOutput('findings', scan.findings.length);
        core.setOutput('findings-path', outputFiles(output).sarif);
        const annotate = inputs.scan.mode === 'fail' ? core.error : core.warning;
        for (const { title, message } of findingsToAnnotations(scan)) annotate(message, { title });
      });
      const files = await writeOutcome(output, outcome, tools);
      core.setOutput('image', outcome.image);
      core.setOutput('snapshot-id', outcome.report.snapshot.id);
      core.setOutput('snapshot-path', files.snapshot);
      core.setOutput('report-path', files.json);
      core.setOutput('startup-cold-ms', Math.round(outcome.report.measurements.startupMs.cold.median));
      core.setOutput('startup-restored-ms', Math.round(outcome.report.measurements.startupMs.restored.median));
      core.setOutput('cache-hit', outcome.report.snapshot.fromCache);
      if (settings.artifact) await storeArtifact(output, outcome, settings, tools);
      await present(outcome, join(temporary, 'dotnet-snapshot-baseline'), settings, log);
      return 0;
    },
    presentFailure,
  );
}

/** What only the action is told, checked. */
interface Settings {
  cache: boolean;
  artifact: boolean;
  comment: boolean;
  retentionDays?: number;
}

/** Throws DS1001. Called before the work begins: a wrong input must not cost a build. */
function readSettings(): Settings {
  const days = option('retention-days');
  if (days !== undefined && !/^[1-9]\d{0,2}$/.test(days))
    throw new SnapshotError('DS1001', `The input retention-days is "${days}".`, {
      fix: 'It must be a whole number of days.',
    });
  return {
    cache: flag('cache'),
    artifact: flag('artifact'),
    comment: flag('comment'),
    ...(days !== undefined && { retentionDays: Number(days) }),
  };
}

/** An input that only the action has; undefined where it is not given. */
function option(name: ActionOptionName): string | undefined {
  const definition: Option = ACTION_OPTIONS[name];
  return core.getInput(name) || (definition.kind === 'boolean' ? definition.default : undefined);
}

function flag(name: ActionOptionName): boolean {
  const value = option(name)?.toLowerCase();
  if (value !== 'true' && value !== 'false')
    throw new SnapshotError('DS1001', `The input ${name} is "${value}".`, { fix: 'It must be true or false.' });
  return value === 'true';
}

/** The runner repeats inputs as variables; the ones that are secret are searched for under their own names. */
function withoutInputs(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([name]) => !name.startsWith('INPUT_') || name === 'INPUT_GITHUB-TOKEN'),
  );
}

function folderCache(directory: string, log: Log): FolderCache {
  return {
    directory,
    restore: (key) => restoreEntry(key, { dir: directory, log }),
    save: async (key) => {
      await saveEntry(key, { dir: directory, log });
    },
  };
}

async function storeArtifact(output: string, outcome: Outcome, settings: Settings, tools: Tools): Promise<void> {
  const name = option('artifact-name') ?? `dotnet-snapshot-${outcome.report.name}`;
  const file = await packDirectory(
    async (argv) => {
      const result = await tools.run(argv);
      if (result.code !== 0) throw new Error(result.stderr);
      return result.stdout;
    },
    outputFiles(output).snapshot,
    join(output, name),
  );
  const { retentionDays } = settings;
  const artifact = await uploadArtifact({ name, file, ...(retentionDays !== undefined && { retentionDays }) });
  core.setOutput('artifact-id', artifact.id);
  core.setOutput('artifact-name', artifact.name);
  tools.log.info(`stored as artifact ${artifact.name}`);
}

/** Job summary always; on a pull request the comment with the deltas, on a branch the baseline for later ones. */
async function present({ report }: Outcome, baselineFolder: string, settings: Settings, log: Log): Promise<void> {
  const pullRequest = context.payload.pull_request?.number;
  const branch = pullRequest === undefined ? process.env.GITHUB_REF_NAME : process.env.GITHUB_BASE_REF;
  const place = { branch: branch ?? '', dir: baselineFolder, log };
  const baseline = branch ? await loadBaseline(report.name, place) : undefined;
  const markdown = renderMarkdown(report, { ...(baseline && { baseline }), marker: true });
  if (process.env.GITHUB_STEP_SUMMARY) await appendFile(process.env.GITHUB_STEP_SUMMARY, `${markdown}\n`);

  if (pullRequest === undefined) {
    if (branch) await saveBaseline(report, runOf(report), place);
    return;
  }
  const token = core.getInput('github-token');
  if (!settings.comment) return;
  if (!token) return log.warning('There is no github-token for the comment; the job summary has the report.');
  await upsertComment({
    token,
    repository: process.env.GITHUB_REPOSITORY ?? '',
    pullRequest,
    name: report.name,
    body: markdown,
    log,
    ...(process.env.GITHUB_API_URL && { apiUrl: process.env.GITHUB_API_URL }),
  });
}

function runOf(report: Report): string {
  return `${process.env.GITHUB_RUN_ID ?? report.createdAt}-${process.env.GITHUB_RUN_ATTEMPT ?? 1}`;
}

function presentFailure(error: SnapshotError): void {
  core.info(error.format());
  core.setFailed(`${error.code}: ${error.message} Fix: ${error.fix}`);
  // The log's details may hold what the app wrote; the summary has only the cause and the fix.
  if (process.env.GITHUB_STEP_SUMMARY)
    appendFileSync(
      process.env.GITHUB_STEP_SUMMARY,
      `### No snapshot: ${markdownCode(error.code)}\n\n${markdownCode(error.message)}\n\nFix: ${markdownCode(error.fix)}\n`,
    );
}

function actionLog(): Log {
  return {
    info: (message) => core.info(message),
    warning: (message) => core.warning(message),
    debug: (message) => core.debug(message),
    group: (title, work) => core.group(title, work),
  };
}

main().then((code) => {
  // At once: an interrupted pipeline goes on until then, and would make anew what has just been removed.
  process.exit(code);
});
