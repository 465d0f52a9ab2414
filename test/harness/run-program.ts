import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** Runs a program, its name first, and resolves to its stdout. */
export async function runProgram([program, ...args]: [string, ...string[]]): Promise<string> {
  const { stdout } = await execFileAsync(program, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout;
}
