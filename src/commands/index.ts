import type { Tools } from '../pipeline.ts';
import { build } from './build.ts';
import { check } from './check.ts';
import { inspect } from './inspect.ts';
import { replayCommand } from './replay.ts';
import { run } from './run.ts';
import { scan } from './scan.ts';

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

export const commands = { build, check, scan, inspect, replay: replayCommand, run } satisfies Record<string, Command>;
