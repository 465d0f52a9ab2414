import type { Tools } from '../tools.ts';

/** A command of the command line. */
export interface Command {
  /** One line for the overview. */
  summary: string;
  /** The whole text of --help. */
  help: string;
  /** True where a signal is for the program that the command runs, and its end is the command's. */
  handlesSignals?: boolean;
  /** Runs it with the words after its name; resolves to the exit code. */
  run(words: string[], tools: Tools): Promise<number>;
}
