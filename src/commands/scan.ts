import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readManifest } from '../checkpoint/checkpoint.ts';
import { SnapshotError } from '../errors.ts';
import { readScanInputs } from '../inputs.ts';
import type { KnownSecret, Manifest, ScanResult } from '../model/index.ts';
import { workFolder } from '../prepare.ts';
import { scanSnapshot } from '../scan/index.ts';
import { parseGivenSecrets, partsOf, secretsOfEnvironment } from '../scan/known/index.ts';
import { findingsToJson, findingsToSarif, findingsToText } from '../scan/present/index.ts';
import { readGateSettings } from '../secrets/gate.ts';
import { allowingPlaceholders, withoutFakes } from '../secrets/placeholders.ts';
import { version } from '../version.ts';
import type { Command } from './command.ts';
import { describeFlag, parseFlags } from './flags.ts';

/** The most worker threads that may be asked for. */
const MOST_ASKED = 64;

const FORMATS: Record<string, (result: ScanResult) => string> = {
  text: findingsToText,
  json: (result) => `${JSON.stringify(findingsToJson(result, version), null, 2)}\n`,
  sarif: (result) => `${JSON.stringify(findingsToSarif(result, version), null, 2)}\n`,
};

const FLAGS = {
  format: { type: 'string', default: 'text' },
  output: { type: 'string' },
  mode: { type: 'string', default: 'fail' },
  policy: { type: 'string' },
  baseline: { type: 'string' },
  config: { type: 'string' },
  'key-file': { type: 'string' },
  'key-env': { type: 'string' },
  'secrets-file': { type: 'string' },
  threads: { type: 'string' },
} as const;

export const scan: Command = {
  summary: 'search a snapshot for secrets',
  help: [
    'usage: dotnet-snapshot scan PATH [flags]',
    '',
    'Searches a snapshot for the values of this shell’s variables that look secret, for those that you name, and by rule.',
    'PATH is a folder of CRIU images (also the output of build, or of docker checkpoint), an archive of a checkpoint',
    '(Podman, CRI-O, containerd, kubelet), or a core dump. Says where a secret lies and by which rule it was found, never',
    'its value. Exit code 4 when one was found.',
    '',
    describeFlag('--format FORMAT', 'text, json or sarif (2.1.0). Default: text.'),
    describeFlag('--output FILE', 'Write that to a file, and the text to standard output.'),
    describeFlag('--mode MODE', 'fail, or warn: then a secret is told of and the exit code is 0. Default: fail.'),
    describeFlag(
      '--secrets-file FILE',
      'Values to search for: NAME=VALUE lines, or a JSON object of names and values.',
    ),
    describeFlag('--policy FILE', 'YAML file with findings that are allowed, each with a reason and an expiry date.'),
    describeFlag('--baseline FILE', 'JSON of an earlier scan; what it found is not counted again. Needs a key.'),
    describeFlag('--config FILE', 'gitleaks configuration. Default: .gitleaks.toml in the working folder, if any.'),
    describeFlag('--key-file FILE', 'File with the secret that values are hashed under, 16 characters or more.'),
    describeFlag('--key-env NAME', 'Variable with that secret. Without one, the hashes of each scan are different.'),
    describeFlag('--threads NUMBER', 'Worker threads. Default: one, and from 512 MiB two.'),
  ].join('\n'),
  async run(words, tools) {
    const { values, positionals } = parseFlags(words, FLAGS, { least: 1, most: 1, what: 'The snapshot’s path' });
    const present = Object.hasOwn(FORMATS, values.format) ? FORMATS[values.format] : undefined;
    if (!present) throw new SnapshotError('DS1001', `--format is "${values.format}"; it must be text, json or sarif.`);
    if (values.mode !== 'fail' && values.mode !== 'warn')
      throw new SnapshotError('DS1001', `--mode is "${values.mode}"; it must be fail or warn.`);
    const threads = threadsFrom(values.threads);
    const inputs = readScanInputs(
      (name) =>
        ({
          scan: values.mode,
          'scan-policy': values.policy,
          'scan-baseline': values.baseline,
          'scan-config': values.config,
          'scan-key': keyFrom(values['key-file'], values['key-env']),
        })[name as string],
    );
    const settings = await readGateSettings(inputs, tools);
    const knownSecrets = [
      ...(await secretsFrom(values['secrets-file'])),
      ...secretsOfEnvironment(withoutKey(tools.environment, values['key-env'])),
    ];
    tools.redactor.add(knownSecrets);
    const path = positionals[0]!;
    const placeholders = (await manifestOf(path))?.placeholders ?? [];
    const temporaryFolder = await workFolder(tools);
    const scanned = await scanSnapshot(path, {
      ...{
        rules: allowingPlaceholders(settings.rules, placeholders),
        knownSecrets: withoutFakes(knownSecrets, placeholders),
        policy: settings.policy,
        key: settings.key,
        log: tools.log,
      },
      temporaryFolder,
      ...(threads !== undefined && { threads }),
    });
    const notes = [...scanned.notes, ...(placeholders.length > 0 ? [placeholdersNote(placeholders.length)] : [])];
    const result = tools.redactor.data({ ...scanned, notes });
    if (values.output !== undefined) await writeOutput(values.output, present(result));
    console.log((values.output === undefined ? present : findingsToText)(result).trimEnd());
    return result.findings.length > 0 && settings.mode === 'fail' ? new SnapshotError('DS4001', '').exitCode : 0;
  },
};

/** The manifest of a build whose output, or part of it, is scanned; undefined for what is of no build. */
async function manifestOf(path: string): Promise<Manifest | undefined> {
  const places = [join(path, 'snapshot'), path, dirname(resolve(path))];
  const file = places.map((folder) => join(folder, 'manifest.json')).find((candidate) => existsSync(candidate));
  return file === undefined ? undefined : readManifest(file).catch(() => undefined);
}

/** Whoever wrote the manifest chose them, so no result is without this. */
function placeholdersNote(count: number): string {
  return `manifest.json names ${count} text(s) that the app was warmed with in place of secrets; the scan takes none of them for one.`;
}

function keyFrom(file: string | undefined, variable: string | undefined): string | undefined {
  if (file !== undefined && variable !== undefined)
    throw new SnapshotError('DS1001', '--key-file and --key-env exclude each other.');
  if (file !== undefined) return `file:${file}`;
  return variable === undefined ? undefined : `env:${variable}`;
}

/** The key is no secret of the app’s. */
function withoutKey(environment: Record<string, string>, name: string | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([variable]) => variable !== name));
}

async function secretsFrom(file: string | undefined): Promise<KnownSecret[]> {
  if (file === undefined) return [];
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new SnapshotError('DS1001', `--secrets-file ${file} can’t be read (${error.code}).`);
  });
  return parseGivenSecrets(text, `--secrets-file ${file}`).flatMap(partsOf);
}

function threadsFrom(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const threads = Number(text);
  if (!Number.isInteger(threads) || threads < 1 || threads > MOST_ASKED)
    throw new SnapshotError('DS1001', `--threads is "${text}"; it must be a whole number from 1 to ${MOST_ASKED}.`);
  return threads;
}

async function writeOutput(file: string, text: string): Promise<void> {
  await writeFile(file, text).catch((error: NodeJS.ErrnoException) => {
    throw new SnapshotError('DS1001', `--output ${file} can’t be written (${error.code}).`, {
      fix: 'Name a file in a folder that exists and can be written to.',
    });
  });
}
