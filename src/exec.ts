import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { getExecOutput } from '@actions/exec';
import { SnapshotError } from './errors.ts';

/** What a finished process left. */
export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface ExecOptions {
  /** Working folder; the current one where absent. */
  cwd?: string;
  /** Text for standard input; none where absent. */
  input?: string;
  /** Variables on top of the inherited environment. */
  env?: Record<string, string>;
  /** Called with each line of either stream as it comes, for progress. */
  onLine?: (line: string) => void;
}

/** Runs a program by argv, never through a shell. A failing exit code is a result; only a missing program throws. */
export type Run = (argv: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

/** Runs real processes. `environment` is what they inherit; the door hands it in. */
export function createRun(environment: NodeJS.ProcessEnv): Run {
  return async (argv, options = {}) => {
    const [program, ...args] = argv;
    const inherited = Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const result = await getExecOutput(program!, args, {
      ignoreReturnCode: true,
      silent: true,
      env: { ...Object.fromEntries(inherited), ...options.env },
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.input !== undefined && { input: Buffer.from(options.input) }),
      ...(options.onLine && { listeners: { stdline: options.onLine, errline: options.onLine } }),
    });
    return { code: result.exitCode, stdout: result.stdout, stderr: result.stderr };
  };
}

/** Stands before a {@link Run}: while it is closed nothing starts, and closing it ends what runs. */
export class Gate {
  #closed = false;

  /** `run`, behind this gate; rejects with DS2007 while the gate is closed. */
  guard(run: Run): Run {
    const requireOpen = () => {
      if (this.#closed) throw new SnapshotError('DS2007', 'The run was interrupted.');
    };
    return async (argv, options) => {
      requireOpen();
      const result = await run(argv, options);
      requireOpen();
      return result;
    };
  }

  /** Kills every process below this one: a runner signals only the action itself, and a build would go on. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const pid of await descendants(process.pid)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself meanwhile.
      }
    }
  }

  open(): void {
    this.#closed = false;
  }
}

/** PIDs of all processes below one, as Linux lists them. */
async function descendants(pid: number): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  const children = lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
  return [...children, ...(await Promise.all(children.map(descendants))).flat()];
}

/** Hands the terminal over to a program and returns its exit code; signals reach it as they reach this process. */
export function runInForeground(argv: readonly string[]): Promise<number> {
  const [program, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { stdio: 'inherit' });
    const ignore = () => {};
    process.on('SIGINT', ignore);
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      process.off('SIGINT', ignore);
      resolve(code ?? (signal === 'SIGINT' ? 130 : 1));
    });
  });
}
