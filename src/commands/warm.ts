import { readWarmInputs } from '../inputs.ts';
import { start } from '../pipeline.ts';
import type { Command } from './command.ts';
import { configOf, describeFlags, parseFlags, readFrom, WARM_OPTIONS } from './flags.ts';

export const warm: Command = {
  summary: 'start an app that can be checkpointed while it runs',
  help: [
    'usage: dotnet-snapshot warm (--project PATH | --dockerfile FILE | --image NAME:TAG) [flags]',
    '',
    'Publishes the app, starts it in a container, waits until it is ready, and prints the container’s name and the URL.',
    'With --traffic it is warmed as build does. The container runs on: warm the app by whatever it is made for, then',
    'take its checkpoint with dotnet-snapshot checkpoint CONTAINER, or remove it with docker rm --force CONTAINER.',
    '',
    describeFlags(WARM_OPTIONS),
  ].join('\n'),
  async run(words, tools) {
    const { values } = parseFlags(words, configOf(WARM_OPTIONS));
    const { container, url } = await start(readWarmInputs(readFrom(values)), tools);
    console.log(`container ${container}\nurl       ${url}`);
    return 0;
  },
};
