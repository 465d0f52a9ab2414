import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { containersSince } from './engine.ts';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NODE_24 = join(ROOT, 'node_modules/.bin/node');
const BUNDLE = join(ROOT, 'dist/cli.cjs');

/** A finished command. */
export interface CliOutcome {
  code: number;
  stdout: string;
  stderr: string;
  /** What the run has left behind: names in its folder for temporary files, and ids of containers. */
  left: { temporary: string[]; containers: string[] };
  /** How many containers the run made. */
  containersMade: number;
}

export interface CliOptions {
  /** Variables on top of the inherited ones. */
  env?: Record<string, string>;
  /** Sends SIGINT as soon as stderr matches. */
  interruptAt?: RegExp;
  /** Called with all of stderr so far whenever there is more. */
  onStderr?: (stderr: string) => void;
}

/** The command line as users have it: the bundle, under the runner's Node. Made once a test file, for one app. */
export class Cli {
  /** Scratch of the test file. */
  readonly folder = mkdtempSync(join(tmpdir(), 'cli-test-'));
  readonly #app: string;

  /** `app` is the `--name` that the runs give; their containers are told apart by it. */
  constructor(app: string) {
    this.#app = app;
  }

  /** Runs one command to its end, whatever its exit code. */
  async run(words: readonly string[], options: CliOptions = {}): Promise<CliOutcome> {
    const temporary = options.env?.TMPDIR ?? join(this.folder, 'tmp');
    mkdirSync(temporary, { recursive: true });
    const since = new Date();
    const child = spawn(NODE_24, [BUNDLE, ...words], {
      cwd: ROOT,
      env: { ...process.env, TMPDIR: temporary, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let interrupted = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      options.onStderr?.(stderr);
      if (interrupted || !options.interruptAt?.test(stderr)) return;
      interrupted = true;
      child.kill('SIGINT');
    });
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exit, signal) => resolve(exit ?? 128 + constants.signals[signal!]));
    });
    const containers = await containersSince(this.#app, since);
    return {
      code,
      stdout,
      stderr,
      left: {
        temporary: readdirSync(temporary).filter((name) => name.startsWith('dotnet-snapshot')),
        containers: containers.left,
      },
      containersMade: containers.made,
    };
  }

  /** Removes the scratch folder. */
  dispose(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
