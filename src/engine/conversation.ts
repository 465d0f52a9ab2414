import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { ExecResult } from '../exec.ts';

/**
 * A program that answers each line with a line. It is started at the first question and goes on until it ends by itself;
 * the next question then starts it again. It keeps nobody waiting who has no question left.
 */
export class Conversation {
  readonly #argv: readonly string[];
  #program: ChildProcessWithoutNullStreams | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(argv: readonly string[]) {
    this.#argv = argv;
  }

  /** The answer as standard output of a program that ended well; where the program ended instead, what it left. */
  ask(line: string): Promise<ExecResult> {
    const answer = this.#last.then(() => this.#ask(line));
    this.#last = answer;
    return answer;
  }

  #ask(line: string): Promise<ExecResult> {
    this.#program ??= this.#start();
    const program = this.#program;
    return new Promise((resolve) => {
      let [stdout, stderr] = ['', ''];
      const onOutput = (chunk: string) => {
        stdout += chunk;
        if (stdout.endsWith('\n')) end(0);
      };
      const onErrors = (chunk: string) => {
        stderr += chunk;
      };
      const onClose = (code: number | null) => {
        this.#program = undefined;
        end(code || 1);
      };
      const end = (code: number) => {
        program.stdout.off('data', onOutput);
        program.stderr.off('data', onErrors);
        program.off('close', onClose);
        hold(program, false);
        resolve({ code, stdout, stderr });
      };
      program.stdout.on('data', onOutput);
      program.stderr.on('data', onErrors);
      program.on('close', onClose);
      hold(program, true);
      program.stdin.write(`${line}\n`);
    });
  }

  #start(): ChildProcessWithoutNullStreams {
    const [file, ...args] = this.#argv;
    const program = spawn(file!, args, { stdio: 'pipe' });
    program.stdout.setEncoding('utf8');
    program.stderr.setEncoding('utf8');
    // Where it can't be started or has gone, `close` tells.
    program.on('error', () => {});
    program.stdin.on('error', () => {});
    return program;
  }
}

/** Whether this process stays as long as the program does. */
function hold(program: ChildProcessWithoutNullStreams, held: boolean): void {
  const parts = [program, program.stdin, program.stdout, program.stderr] as { ref?(): void; unref?(): void }[];
  for (const part of parts) held ? part.ref?.() : part.unref?.();
}
