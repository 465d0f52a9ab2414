import { join } from 'node:path';
import { resourceName } from '../deploy/deployment.ts';
import { SnapshotError } from '../errors.ts';
import { writeDeployment } from '../output.ts';
import type { Command } from './command.ts';
import { describeFlag, parseFlags } from './flags.ts';
import { manifestOfImage } from './inspect.ts';

export const deploy: Command = {
  summary: 'write Compose, Kubernetes and Knative files for a restore-ready image',
  help: [
    'usage: dotnet-snapshot deploy IMAGE [flags]',
    '',
    'Writes docker-compose.yml, kubernetes.yaml and knative.yaml, with the settings of `dotnet-snapshot run`. Files of',
    'these names are replaced. Name the image as the cluster pulls it.',
    '',
    describeFlag('--output FOLDER', 'Folder for the files. Default: out/NAME/deploy.'),
    describeFlag('--name NAME', 'Name of the service. Default: that of the app.'),
    describeFlag('--port NUMBER', 'Port that the app listens on. Default: that of the build.'),
    describeFlag('--ready-path PATH', 'Path that the probes ask. Default: that of the build.'),
  ].join('\n'),
  async run(words, tools) {
    const options = {
      output: { type: 'string' },
      name: { type: 'string' },
      port: { type: 'string' },
      'ready-path': { type: 'string' },
    } as const;
    const { values, positionals } = parseFlags(words, options, { least: 1, most: 1, what: 'The image' });
    const { name, port, 'ready-path': readyPath } = values;
    if (name !== undefined && resourceName(name) !== name)
      throw new SnapshotError('DS1001', `--name is "${name}".`, {
        fix: 'Use lower-case letters, digits and hyphens, a letter first, at most 63 characters.',
      });
    if (port !== undefined && !(/^[1-9]\d{0,4}$/.test(port) && Number(port) < 65536))
      throw new SnapshotError('DS1001', `--port is "${port}".`, { fix: 'It must be a number from 1 to 65535.' });
    if (readyPath !== undefined && !readyPath.startsWith('/'))
      throw new SnapshotError('DS1001', `--ready-path is "${readyPath}".`, { fix: 'It must begin with a slash.' });
    const manifest = await manifestOfImage(positionals[0]!, tools);
    const files = await writeDeployment(
      values.output ?? join('out', name ?? manifest.name, 'deploy'),
      positionals[0]!,
      manifest,
      tools,
      {
        ...(name !== undefined && { name }),
        ...(port !== undefined && { port: Number(port) }),
        ...(readyPath !== undefined && { readyPath }),
      },
    );
    console.log(files.join('\n'));
    return 0;
  },
};
