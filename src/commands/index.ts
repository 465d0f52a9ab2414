import { build } from './build.ts';
import { check } from './check.ts';
import type { Command } from './command.ts';
import { inspect } from './inspect.ts';
import { replayCommand } from './replay.ts';
import { run } from './run.ts';
import { scan } from './scan.ts';

/** All commands, in the order of the overview. */
export const commands = { build, check, scan, inspect, replay: replayCommand, run } satisfies Record<string, Command>;
