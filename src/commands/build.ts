import { join, resolve } from 'node:path';
import { locked } from '../lock.ts';
import type { Report } from '../model/index.ts';
import { appName } from '../naming.ts';
import { clearOutput, writeOutcome, writeScan } from '../output.ts';
import { build as runPipeline } from '../pipeline.ts';
import { headline } from '../report/headline.ts';
import type { Command } from './command.ts';
import { describeBuildFlags, parseBuildFlags } from './flags.ts';

export const build: Command = {
  summary: 'make a restore-ready image of an app',
  help: [
    'usage: dotnet-snapshot build [--traffic FILE] (--project PATH | --dockerfile FILE | --image NAME:TAG) [flags]',
    '',
    'Publishes the app, warms it in a container by replaying the traffic, takes a checkpoint, scans it for secrets,',
    'makes the image, restores and verifies it, measures it, and writes report and snapshot to the output folder.',
    '',
    describeBuildFlags(),
    '  --verbose                  Show what the tools print.',
  ].join('\n'),
  async run(words, tools) {
    const inputs = parseBuildFlags(words);
    const directory = inputs.output ?? join('out', await appName(inputs));
    // Two builds that write there at once would leave files of both.
    const { outcome, files } = await locked(
      `output ${resolve(directory)}`,
      `it writes to ${directory}`,
      tools.log,
      async () => {
        await clearOutput(directory);
        const outcome = await runPipeline(inputs, tools, (scan) => writeScan(directory, scan));
        return { outcome, files: await writeOutcome(directory, outcome, tools) };
      },
    );
    console.log(headline(outcome.report, outcome.report.name));
    if (outcome.report.scan.verdict !== 'clean') console.log(verdictLine(outcome.report.scan));
    console.log(
      `image     ${outcome.image}\nreport    ${files.markdown}\nsnapshot  ${files.snapshot}\ndeploy    ${files.deploy}`,
    );
    return 0;
  },
};

/** What must not be overlooked beside the headline. */
function verdictLine({ verdict, findings }: Report['scan']): string {
  return verdict === 'off' ? 'secrets   NOT LOOKED FOR: scan is off' : `secrets   ${findings} FINDINGS: scan is warn`;
}
