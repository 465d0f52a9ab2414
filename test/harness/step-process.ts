import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Job } from './job.ts';

/** A message that a step pins to the run's page. */
export interface Annotation {
  level: 'error' | 'warning' | 'notice';
  message: string;
  /** `file`, `line`, `title` and so on. */
  properties: Record<string, string>;
}

/** What a step did, as the runner sees it. */
export interface StepOutcome {
  exitCode: number;
  /** stdout and stderr in order as the log shows them: values masked, without debug messages. */
  log: string;
  outputs: Record<string, string>;
  /** Markdown for the run's page. */
  summary: string;
  annotations: Annotation[];
  /** What the step keeps for its own post step. */
  state: Record<string, string>;
}

const FILE_COMMANDS = ['GITHUB_OUTPUT', 'GITHUB_ENV', 'GITHUB_PATH', 'GITHUB_STATE', 'GITHUB_STEP_SUMMARY'] as const;

/** How the runner ends a step of a cancelled run: the signals that the program gets, and after how many milliseconds. */
const CANCELLATION = [
  ['SIGINT', 0],
  ['SIGTERM', 7500],
  ['SIGKILL', 10_000],
] as const;

/** Runs a program as a step of the job: reads its workflow commands and its files, and keeps what is for later steps. */
export async function runStepProcess(
  job: Job,
  argv: [string, ...string[]],
  env: Record<string, string>,
  cwd: string,
): Promise<StepOutcome> {
  const files = Object.fromEntries(
    FILE_COMMANDS.map((name) => [name, join(job.files, `${name}-${randomUUID()}`)]),
  ) as Record<(typeof FILE_COMMANDS)[number], string>;
  for (const file of Object.values(files)) await writeFile(file, '');

  const annotations: Annotation[] = [];
  const lines: string[] = [];
  const child = spawn(argv[0], argv.slice(1), {
    cwd,
    env: { ...job.env, ...job.added, ...env, ...files },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const timers: NodeJS.Timeout[] = [];
  const cancel = () => {
    for (const [signal, delay] of CANCELLATION) timers.push(setTimeout(() => child.kill(signal), delay));
  };
  job.cancelled?.addEventListener('abort', cancel);
  const read = async (stream: NodeJS.ReadableStream) => {
    for await (const line of createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })) {
      job.onLine?.(line);
      if (handleCommand(line, job, annotations)) lines.push(mask(line, job.masks));
    }
  };
  const exited = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal!]));
  });
  const [exitCode] = await Promise.all([exited, read(child.stdout), read(child.stderr)]).finally(() => {
    for (const timer of timers) clearTimeout(timer);
    job.cancelled?.removeEventListener('abort', cancel);
    child.kill();
  });

  const contents = async (name: keyof typeof files) => await readFile(files[name], 'utf8');
  Object.assign(job.added, parseFileCommand(await contents('GITHUB_ENV')));
  const paths = (await contents('GITHUB_PATH')).split('\n').filter((line) => line !== '');
  if (paths.length > 0) job.env.PATH = [...paths.reverse(), job.env.PATH].join(delimiter);
  return {
    exitCode,
    log: lines.map((line) => `${line}\n`).join(''),
    outputs: parseFileCommand(await contents('GITHUB_OUTPUT')),
    summary: await contents('GITHUB_STEP_SUMMARY'),
    annotations,
    state: parseFileCommand(await contents('GITHUB_STATE')),
  };
}

/** Names and values of a runner file: `name=value`, or `name<<END`, the value's lines, `END`. */
export function parseFileCommand(content: string): Record<string, string> {
  const values: Record<string, string> = {};
  const lines = content.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!;
    if (line === '') continue;
    const [, name, operator, rest = ''] = /^([^=<]+?)(<<|=)(.*)$/.exec(line) ?? [];
    if (name === undefined) throw new Error(`Invalid format '${line}'`);
    if (operator === '=') {
      values[name] = rest;
      continue;
    }
    const end = lines.indexOf(rest, index + 1);
    if (end === -1) throw new Error(`Matching delimiter not found '${rest}'`);
    values[name] = lines.slice(index + 1, end).join('\n');
    index = end;
  }
  return values;
}

/** `::name key=value,…::message`. False for a line that the log does not show; what newer runners refuse is an error. */
function handleCommand(line: string, job: Job, annotations: Annotation[]): boolean {
  const [, name, keys = '', data = ''] = /^::([\w-]+)(?: ([^:]*(?::(?!:)[^:]*)*))?::(.*)$/.exec(line.trimStart()) ?? [];
  const message = unescapeData(data);
  if (name === 'add-mask') {
    for (const value of message.split('\n')) if (value.trim() !== '') job.masks.add(value);
  } else if (name === 'error' || name === 'warning' || name === 'notice') {
    annotations.push({ level: name, message, properties: parseProperties(keys) });
  } else if (name === 'set-env' || name === 'add-path' || name === 'set-output' || name === 'save-state') {
    throw new Error(`The command ${name} is no longer supported by the runner.`);
  }
  return name !== 'add-mask' && name !== 'debug';
}

function parseProperties(keys: string): Record<string, string> {
  const pairs = keys.split(',').map((pair) => /^\s*([^=]+)=(.*)$/.exec(pair));
  return Object.fromEntries(
    pairs.filter((pair) => pair !== null).map(([, key = '', value = '']) => [key, unescapeProperty(value)]),
  );
}

function unescapeProperty(value: string): string {
  return unescapeData(value.replace(/%3A/gi, ':').replace(/%2C/gi, ','));
}

function unescapeData(value: string): string {
  return value.replace(/%0D/gi, '\r').replace(/%0A/gi, '\n').replace(/%25/g, '%');
}

function mask(line: string, masks: Set<string>): string {
  const longestFirst = [...masks].sort((a, b) => b.length - a.length);
  return longestFirst.reduce((text, value) => text.replaceAll(value, '***'), line);
}
