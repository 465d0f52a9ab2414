import { describeKeys, describeRisks } from '../checkpoint/risks.ts';
import { check as runCheck } from '../pipeline.ts';
import type { Command } from './command.ts';
import { describeBuildFlags, parseBuildFlags } from './flags.ts';

export const check: Command = {
  summary: 'a dry run: say what would block a checkpoint, and how to mend it',
  help: [
    'usage: dotnet-snapshot check [--traffic FILE] (--project PATH | --dockerfile FILE | --image NAME:TAG) [flags]',
    '',
    'Starts the app, replays the traffic, takes a checkpoint and throws it away. Makes no image and keeps nothing.',
    'Warns of members of the app’s code and packages whose value every clone would share, and of what waits in queues;',
    'a warning does not change the exit code.',
    'Takes the flags of build; those for measuring and output have no effect.',
    '',
    describeBuildFlags(),
  ].join('\n'),
  async run(words, tools) {
    const { name, warmup, risks, keys } = await runCheck(parseBuildFlags(words), tools);
    for (const line of [...describeRisks(risks), ...describeKeys(keys)]) tools.log.warning(line);
    console.log(
      warmup.requests > 0
        ? `${name} can be checkpointed: ${warmup.requests} requests answered as expected, and CRIU dumped the app.`
        : `${name} can be checkpointed: CRIU dumped the app.`,
    );
    return 0;
  },
};
