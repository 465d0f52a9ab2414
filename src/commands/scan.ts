import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SnapshotError } from '../errors.ts';
import { findingsToSarif, findingsToText, knownSecretsFrom, scanSnapshot } from '../scan/index.ts';
import { version } from '../version.ts';
import type { Command } from './command.ts';
import { parseFlags } from './flags.ts';

export const scan: Command = {
  summary: 'search a snapshot for secrets',
  help: [
    'usage: dotnet-snapshot scan DIR [--format text|json|sarif]',
    '',
    'Searches every file of a CRIU image folder for the values of this shell’s variables that look secret, and by rule.',
    'Says where a secret lies and by which rule it was found, never its value. Exit code 4 when one was found.',
  ].join('\n'),
  async run(words, { environment, log }) {
    const options = { format: { type: 'string', default: 'text' } } as const;
    const { values, positionals } = parseFlags(words, options, { least: 1, most: 1, what: 'The snapshot’s folder' });
    const present = { text: findingsToText, json: toJson, sarif: toSarif }[values.format as 'text' | 'json' | 'sarif'];
    if (!present) throw new SnapshotError('DS1001', `--format is "${values.format}"; it must be text, json or sarif.`);
    const result = await scanSnapshot(imageFolder(positionals[0]!), {
      knownSecrets: knownSecretsFrom(environment),
      log,
    });
    console.log(present(result).trimEnd());
    return result.findings.length > 0 ? new SnapshotError('DS4001', '').exitCode : 0;
  },
};

/** The output of `build` holds the image files one folder down. */
function imageFolder(directory: string): string {
  const inner = join(directory, 'checkpoint');
  return existsSync(inner) ? inner : directory;
}

const toJson = (result: Parameters<typeof findingsToText>[0]) => JSON.stringify(result, null, 2);
const toSarif = (result: Parameters<typeof findingsToText>[0]) =>
  JSON.stringify(findingsToSarif(result, version), null, 2);
