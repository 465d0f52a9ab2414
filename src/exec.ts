import { spawn } from 'node:child_process';
import { getExecOutput } from '@actions/exec';

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
