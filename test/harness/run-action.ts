import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { asText, evaluateToken } from './expressions.ts';
import { convertActionTemplate, NoOperationTraceWriter, parseAction } from './github-parser.ts';
import type { Job } from './job.ts';
import { runStepProcess, type StepOutcome } from './step-process.ts';

/** The Node that `using: node24` means. */
const NODE_24 = fileURLToPath(new URL('../../node_modules/.bin/node', import.meta.url));

/** A finished main step of an action. */
export interface ActionOutcome extends StepOutcome {
  /** Runs the action's post step as the runner does at the job's end; undefined where there is none. */
  post: (() => Promise<StepOutcome>) | undefined;
}

/**
 * Runs a JavaScript action the way the runner does: inputs and their defaults as `INPUT_*`, then `runs.main` with Node 24.
 * Throws for an action file that is not valid, for inputs that it doesn't have, and for actions of another kind.
 */
export async function runAction(
  job: Job,
  actionFile: string,
  inputs: Record<string, string> = {},
  env: Record<string, string> = {},
): Promise<ActionOutcome> {
  const action = await readAction(actionFile);
  const { runs } = action;
  if (runs.using !== 'node24' || !('main' in runs) || runs.pre !== undefined) {
    throw new Error(`${actionFile}: only node24 actions without a pre step can be run here.`);
  }
  const known = action.inputs ?? [];
  for (const name of Object.keys(inputs)) {
    if (!known.some(({ id }) => id.toLowerCase() === name.toLowerCase())) {
      throw new Error(`Unexpected input '${name}', valid inputs are ${known.map(({ id }) => id).join(', ')}.`);
    }
  }
  const given = new Map(Object.entries(inputs).map(([name, value]) => [name.toLowerCase(), value]));
  const variables: Record<string, string> = { ...env, GITHUB_ACTION: 'snapshot' };
  for (const { id, default: fallback } of known) {
    const value =
      given.get(id.toLowerCase()) ?? asText(fallback ? evaluateToken(fallback, { github: job.github }) : '');
    variables[`INPUT_${id.replaceAll(' ', '_').toUpperCase()}`] = value;
  }
  const start = (script: string, more: Record<string, string> = {}) =>
    runStepProcess(job, [NODE_24, resolve(dirname(actionFile), script)], { ...variables, ...more }, job.workspace);

  const outcome = await start(runs.main);
  const { post } = runs;
  if (post === undefined) return { ...outcome, post };
  const state = Object.fromEntries(Object.entries(outcome.state).map(([name, value]) => [`STATE_${name}`, value]));
  return { ...outcome, post: () => start(post, state) };
}

/** The action file in a folder. */
export function actionFileIn(folder: string): string {
  return join(folder, 'action.yml');
}

/** An action file, checked against GitHub's schema of it. */
export async function readAction(actionFile: string) {
  const content = await readFile(actionFile, 'utf8');
  const { context, value } = parseAction({ name: actionFile, content }, new NoOperationTraceWriter());
  const action = value && convertActionTemplate(context, value);
  const errors = context.errors.getErrors();
  if (errors.length > 0 || !action)
    throw new Error(errors.map(({ message }) => message).join('\n') || 'empty action file');
  return action;
}
