import { build } from './build.ts';
import { check } from './check.ts';
import { checkpoint } from './checkpoint.ts';
import type { Command } from './command.ts';
import { deploy } from './deploy.ts';
import { inspect } from './inspect.ts';
import { replayCommand } from './replay.ts';
import { run } from './run.ts';
import { scan } from './scan.ts';
import { warm } from './warm.ts';

/** All commands, in the order of the overview. */
export const commands = {
  build,
  check,
  warm,
  checkpoint,
  scan,
  inspect,
  replay: replayCommand,
  run,
  deploy,
} satisfies Record<string, Command>;
