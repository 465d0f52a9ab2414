import { SnapshotError } from './errors.ts';
import type { KnownSecret, Source } from './model/index.ts';
import { OPTIONS, type Option, type OptionName } from './options.ts';
import { parseGivenSecrets } from './scan/known/given.ts';
import { SECRETS_AT_BUILD, type SecretsAtBuild } from './secrets/atBuild.ts';
import { ISAS, type Isa } from './warmup/isa.ts';

/** What an app is started and warmed with; every value checked. */
export interface WarmInputs {
  source: Source;
  /** Absent where the app is warmed by somebody else. */
  trafficFile?: string;
  name?: string;
  baseImage?: string;
  user?: string;
  port: number;
  readyPath: string;
  readyMillis: number;
  warmupMillis: number;
  /** Whether the checkpoint waits for the rounds of the traffic, or only for the app to be ready. */
  checkpointAt: 'warmed' | 'ready';
  beforeCheckpointPath?: string;
  afterRestorePath?: string;
  hookSeconds: number;
  /** The instruction set that the app is held to. */
  isa: Isa;
  env: Record<string, string>;
  /** What the app has of the secrets among `env` while it is warmed. */
  secretsAtBuild: SecretsAtBuild;
  network?: string;
}

/** What the secrets gate is told. Files are read when the work begins. */
export interface ScanInputs {
  /** `off`: nobody looks; `warn`: findings are reported and stop nothing. */
  mode: 'fail' | 'warn' | 'off';
  policyFile?: string;
  baselineFile?: string;
  configFile?: string;
  /** The key itself, or `env:NAME` or `file:PATH`. */
  key?: string;
}

/** What the pipeline is asked to do; every value checked. */
export interface Inputs extends WarmInputs {
  trafficFile: string;
  tag?: string;
  secrets: KnownSecret[];
  scan: ScanInputs;
  pairs: number;
  clones: number;
  output?: string;
}

/** What the checkpoint of a running app is asked to do. */
export interface CheckpointInputs {
  /** Absent where a restored clone is only asked whether it is ready. */
  trafficFile?: string;
  tag?: string;
  secrets: KnownSecret[];
  scan: ScanInputs;
  output?: string;
  /** Whether the app goes on running after its checkpoint. */
  keep: boolean;
}

/** How a door hands over an option: its text, or undefined or empty where it was not given. Lists are one item a line. */
export type ReadOption = (name: OptionName) => string | undefined;

/** Turns options into inputs. Every error is DS1001 and names the option and the fix. */
export function readInputs(read: ReadOption): Inputs {
  const { text, optional } = reader(read);
  const { trafficFile, ...rest } = readWarmInputs(read);
  if (trafficFile === undefined)
    throw bad('traffic', 'is missing', 'Name the recorded traffic, for instance traffic.yaml.');
  return {
    ...rest,
    trafficFile,
    secrets: readSecrets(text('secrets')),
    scan: readScanInputs(read),
    pairs: whole('pairs', text('pairs')!, 1, 100),
    clones: whole('clones', text('clones')!, 1, 100),
    ...optional('tag', 'tag'),
    ...optional('output', 'output'),
  };
}

/** Like {@link readInputs}, of what concerns the running app alone. */
export function readWarmInputs(read: ReadOption): WarmInputs {
  const { text, optional } = reader(read);
  const checkpointAt = text('checkpoint-at')!;
  if (checkpointAt !== 'warmed' && checkpointAt !== 'ready')
    throw bad('checkpoint-at', `is "${checkpointAt}"`, 'It must be warmed or ready.');
  return {
    source: readSource(text),
    port: whole('port', text('port')!, 1, 65_535),
    readyPath: path('ready-path', text('ready-path')!),
    readyMillis: whole('ready-timeout', text('ready-timeout')!, 1, 3600) * 1000,
    warmupMillis: whole('warmup-timeout', text('warmup-timeout')!, 1, 3600) * 1000,
    checkpointAt,
    hookSeconds: whole('hook-timeout', text('hook-timeout')!, 1, 300),
    isa: readIsa(text('isa')!),
    env: Object.fromEntries(pairs('env', text('env'))),
    secretsAtBuild: readSecretsAtBuild(text('secrets-at-build')!),
    ...optional('trafficFile', 'traffic'),
    ...optional('name', 'name'),
    ...optional('baseImage', 'base-image'),
    ...optional('user', 'user'),
    ...optional('beforeCheckpointPath', 'before-checkpoint-path', path),
    ...optional('afterRestorePath', 'after-restore-path', path),
    ...optional('network', 'network'),
  };
}

/** Like {@link readInputs}, of what the checkpoint of a running app can be told. */
export function readCheckpointInputs(read: ReadOption, keep: boolean): CheckpointInputs {
  const { text, optional } = reader(read);
  return {
    secrets: readSecrets(text('secrets')),
    scan: readScanInputs(read),
    keep,
    ...optional('trafficFile', 'traffic'),
    ...optional('tag', 'tag'),
    ...optional('output', 'output'),
  };
}

/** Like {@link readInputs}, of what the secrets gate can be told. */
export function readScanInputs(read: ReadOption): ScanInputs {
  const { text, optional } = reader(read);
  const mode = text('scan')!;
  if (mode !== 'fail' && mode !== 'warn' && mode !== 'off')
    throw bad('scan', `is "${mode}"`, 'It must be fail, warn or off.');
  return {
    mode,
    ...optional('policyFile', 'scan-policy'),
    ...optional('baselineFile', 'scan-baseline'),
    ...optional('configFile', 'scan-config'),
    ...optional('key', 'scan-key'),
  };
}

function reader(read: ReadOption) {
  const text = (name: OptionName): string | undefined => {
    const option: Option = OPTIONS[name];
    return read(name)?.trim() || option.default;
  };
  const optional = <K extends string>(
    key: K,
    name: OptionName,
    check: (name: OptionName, value: string) => string = (_name, value) => value,
  ) => {
    const value = text(name);
    return value === undefined ? {} : ({ [key]: check(name, value) } as Record<K, string>);
  };
  return { text, optional };
}

function readSource(text: (name: OptionName) => string | undefined): Source {
  const sources = (['project', 'dockerfile', 'image'] as const).filter((name) => text(name) !== undefined);
  if (sources.length !== 1)
    throw new SnapshotError(
      'DS1001',
      sources.length === 0 ? 'It is not said what to build.' : `${sources.join(' and ')} exclude each other.`,
      { fix: 'Give exactly one of project, dockerfile and image.' },
    );
  const [kind] = sources;
  if (kind === 'dockerfile') return { kind, path: text(kind)! };
  if (kind === 'image') return { kind, reference: text(kind)! };
  const framework = text('framework');
  return {
    kind: 'project',
    path: text('project')!,
    publishArguments: lines(text('publish-args')),
    ...(framework !== undefined && { framework }),
  };
}

function readIsa(value: string): Isa {
  const isa = ISAS.find((known) => known === value);
  if (!isa) throw bad('isa', `is "${value}"`, `It must be one of ${ISAS.join(', ')}.`);
  return isa;
}

function readSecretsAtBuild(value: string): SecretsAtBuild {
  const mode = SECRETS_AT_BUILD.find((known) => known === value);
  if (!mode) throw bad('secrets-at-build', `is "${value}"`, `It must be ${SECRETS_AT_BUILD.join(', ')}.`);
  return mode;
}

function readSecrets(value: string | undefined): KnownSecret[] {
  return parseGivenSecrets(value ?? '', 'The input secrets');
}

function path(name: OptionName, value: string): string {
  if (!/^\/\S*$/.test(value))
    throw bad(name, `is "${value}"`, 'It must begin with a slash and have no blanks, for instance /healthz.');
  return value;
}

function lines(value: string | undefined): string[] {
  return (value ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);
}

function pairs(name: OptionName, value: string | undefined): [string, string][] {
  return lines(value).map((line, index) => {
    const at = line.indexOf('=');
    // Not the line itself: it may be a secret.
    if (at < 1) throw bad(name, `has no "=" in line ${index + 1}`, 'Write one NAME=VALUE a line.');
    return [line.slice(0, at), line.slice(at + 1)];
  });
}

function whole(name: OptionName, value: string, low: number, high: number): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < low || number > high)
    throw bad(name, `is "${value}"`, `It must be a whole number from ${low} to ${high}.`);
  return number;
}

function bad(name: OptionName, what: string, fix: string): SnapshotError {
  return new SnapshotError('DS1001', `The input ${name} ${what}.`, { fix });
}
