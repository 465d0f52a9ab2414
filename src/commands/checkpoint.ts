import { join } from 'node:path';
import { readCheckpointInputs } from '../inputs.ts';
import { runningApp } from '../ondemand.ts';
import type { OptionName } from '../options.ts';
import { clearOutput, writeScan, writeSnapshot } from '../output.ts';
import { checkpointRunning } from '../pipeline.ts';
import type { Command } from './command.ts';
import { configOf, describeFlag, describeFlags, parseFlags, readFrom, SCAN_OPTIONS } from './flags.ts';

const OPTIONS: OptionName[] = ['tag', 'output', 'secrets', 'traffic', ...SCAN_OPTIONS];

export const checkpoint: Command = {
  summary: 'make a restore-ready image of an app that warm started',
  help: [
    'usage: dotnet-snapshot checkpoint CONTAINER [--keep] [flags]',
    '',
    'Takes the checkpoint of the app as it runs now, scans it for secrets, makes the image, restores it once, and writes',
    'the snapshot to the output folder. The app ends with its checkpoint, and its container is removed; with --keep',
    'both go on.',
    '',
    describeFlags(['tag', 'secrets', ...SCAN_OPTIONS]),
    describeFlag('--output FOLDER', 'Folder for the snapshot and the findings. Default: out/NAME.'),
    describeFlag('--traffic FILE', 'Traffic that the restored app must answer as the file expects.'),
    describeFlag('--keep', 'Let the app go on after its checkpoint.'),
  ].join('\n'),
  async run(words, tools) {
    const { values, positionals } = parseFlags(
      words,
      { ...configOf(OPTIONS), keep: { type: 'boolean' } },
      { least: 1, most: 1, what: 'The container' },
    );
    const inputs = readCheckpointInputs(readFrom(values), values.keep === true);
    await tools.docker.requireCheckpointingEngine();
    const app = await runningApp(positionals[0]!, tools.docker);
    const directory = inputs.output ?? join('out', app.name);
    await clearOutput(directory);
    const { image, snapshot } = await checkpointRunning(app, inputs, tools, (scan) => writeScan(directory, scan));
    console.log(`image     ${image}\nsnapshot  ${await writeSnapshot(directory, snapshot)}`);
    return 0;
  },
};
