import { existsSync } from 'node:fs';
import { posix, resolve } from 'node:path';
import { splitOnce } from './engine/text.ts';
import { SnapshotError } from './errors.ts';
import type { KnownSecret, Places, Ready, Source } from './model/index.ts';
import { OPTIONS, type Option, type OptionName } from './options.ts';
import { parseGivenSecrets } from './scan/known/given.ts';
import { defaultAtBuild, SECRETS_AT_BUILD, type SecretsAtBuild } from './secrets/atBuild.ts';
import { TIMERS, type Timers } from './warmup/container.ts';
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
  /** Host header of requests that name none; where absent, the one that the traffic names. */
  host?: string;
  ready: Ready;
  readyPath: string;
  readyMillis: number;
  warmupMillis: number;
  /** Program and arguments that warm the app in place of traffic. */
  warmupCommand?: string[];
  /** How long it works before its checkpoint where nothing else warms it. */
  warmupSeconds: number;
  /** Whether the checkpoint waits for the rounds of the traffic, or only for the app to be ready. */
  checkpointAt: 'warmed' | 'ready';
  beforeCheckpointPath?: string;
  afterRestorePath?: string;
  hookSeconds: number;
  /** Settings that only the start may read and that may differ all the same; a `*` at the end stands for any rest. */
  mayDiffer: string[];
  /** What timers do that became due while the snapshot was kept. */
  timers: Timers;
  /** The instruction set that the app is held to. */
  isa: Isa;
  env: Record<string, string>;
  /** What the app has of the secrets among `env` while it is warmed. */
  secretsAtBuild: SecretsAtBuild;
  network?: string;
  /** Where the app can write in production, and what is mounted there. */
  places: Places;
  /** The most bytes of files that travel with the snapshot. */
  filesLimit: number;
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
  /** Variables that production gives the app on top of `env`. */
  productionEnv: Record<string, string>;
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
  const warm = readWarmInputs(read);
  if (warm.trafficFile === undefined && warm.ready.by === 'http' && warm.warmupCommand === undefined)
    throw bad(
      'traffic',
      'is missing',
      'Name the recorded traffic, for instance traffic.yaml. For an app without HTTP, set ready to what tells that it is ready.',
    );
  return {
    ...warm,
    productionEnv: Object.fromEntries(pairs('production-env', text('production-env'))),
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
  const warmupCommand = text('warmup-command');
  if (checkpointAt !== 'warmed' && checkpointAt !== 'ready')
    throw bad('checkpoint-at', `is "${checkpointAt}"`, 'It must be warmed or ready.');
  const env = Object.fromEntries(pairs('env', text('env')));
  return {
    source: readSource(text),
    port: whole('port', text('port')!, 1, 65_535),
    ready: readReady(text('ready')!),
    readyPath: path('ready-path', text('ready-path')!),
    readyMillis: whole('ready-timeout', text('ready-timeout')!, 1, 3600) * 1000,
    warmupMillis: whole('warmup-timeout', text('warmup-timeout')!, 1, 3600) * 1000,
    warmupSeconds: whole('warmup-seconds', text('warmup-seconds')!, 0, 3600),
    checkpointAt,
    hookSeconds: whole('hook-timeout', text('hook-timeout')!, 1, 300),
    mayDiffer: lines(text('may-differ')),
    timers: readTimers(text('timers')!),
    isa: readIsa(text('isa')!),
    env,
    secretsAtBuild: readSecretsAtBuild(text('secrets-at-build'), env),
    places: readPlaces(text('writable'), text('mount')),
    filesLimit: whole('files-limit', text('files-limit')!, 0, 4096) * 2 ** 20,
    ...optional('trafficFile', 'traffic'),
    ...optional('name', 'name'),
    ...optional('baseImage', 'base-image'),
    ...optional('user', 'user'),
    ...optional('beforeCheckpointPath', 'before-checkpoint-path', path),
    ...optional('afterRestorePath', 'after-restore-path', path),
    ...optional('network', 'network'),
    ...optional('host', 'host', host),
    ...(warmupCommand !== undefined && { warmupCommand: argv('warmup-command', warmupCommand) }),
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
  if (kind === 'dockerfile') return readDockerfile(text);
  const stray = DOCKERFILE_OPTIONS.find((name) => text(name) !== undefined);
  if (stray !== undefined)
    throw bad(stray, 'is only for a Dockerfile', `Leave it out, or give dockerfile, not ${kind}.`);
  if (kind === 'image') return { kind, reference: text(kind)! };
  const framework = text('framework');
  return {
    kind: 'project',
    path: text('project')!,
    publishArguments: lines(text('publish-args')),
    ...(framework !== undefined && { framework }),
  };
}

const DOCKERFILE_OPTIONS = ['context', 'build-args', 'target', 'build-secrets', 'platform'] as const;

function readDockerfile(text: (name: OptionName) => string | undefined): Source {
  const secrets = lines(text('build-secrets'));
  for (const [index, secret] of secrets.entries()) {
    const parts = secret.split(',').map((part) => part.split('=')[0]);
    if (!parts.includes('id') || !(parts.includes('env') || parts.includes('src')))
      throw bad(
        'build-secrets',
        `names no id, or neither env nor src, in line ${index + 1}`,
        'Write id=NAME,env=VARIABLE or id=NAME,src=FILE; the value itself belongs in the variable or the file.',
      );
  }
  const [context, target, platform] = [text('context'), text('target'), text('platform')];
  const own = { x64: 'linux/amd64', arm64: 'linux/arm64' }[process.arch as string];
  if (platform !== undefined && own !== undefined && platform !== own && !platform.startsWith(`${own}/`))
    throw bad(
      'platform',
      `is "${platform}", and this machine is ${own}`,
      'Build on a machine of that platform: an emulated app can’t be checkpointed.',
    );
  return {
    kind: 'dockerfile',
    path: text('dockerfile')!,
    buildArguments: Object.fromEntries(pairs('build-args', text('build-args'))),
    secrets,
    ...(context !== undefined && { context }),
    ...(target !== undefined && { target }),
    ...(platform !== undefined && { platform }),
  };
}

function readReady(value: string): Ready {
  const [by, rest] = splitOnce(value, ':');
  if ((by === 'http' || by === 'port') && by === value) return { by };
  if (by === 'log' && rest && isPattern(rest)) return { by, pattern: rest };
  if (by === 'file' && rest.startsWith('/')) return { by, path: rest };
  if (by === 'command' && rest.trim()) return { by, argv: argv('ready', rest) };
  throw bad(
    'ready',
    `is "${value}"`,
    'It must be http, port, log: and a JavaScript regular expression, file: and a path that begins with a slash, or command: and a program with its arguments.',
  );
}

function isPattern(text: string): boolean {
  try {
    return Boolean(new RegExp(text));
  } catch {
    return false;
  }
}

/** Words by blanks, or the strings of a JSON array: no shell reads them. */
function argv(name: OptionName, value: string): string[] {
  if (!value.trim().startsWith('[')) return value.trim().split(/\s+/);
  const words = parseJson(value);
  if (!Array.isArray(words) || words.length === 0 || words.some((word) => typeof word !== 'string'))
    throw bad(name, 'is no JSON array of strings', 'Write words with blanks between them, or ["PROGRAM", "ARGUMENT"].');
  return words;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function host(name: OptionName, value: string): string {
  if (!/^[\w.\-[\]:]+$/.test(value))
    throw bad(name, `is "${value}"`, 'It must be a host name, with a port or without, for instance shop.example.com.');
  return value;
}

function readIsa(value: string): Isa {
  const isa = ISAS.find((known) => known === value);
  if (!isa) throw bad('isa', `is "${value}"`, `It must be one of ${ISAS.join(', ')}.`);
  return isa;
}

function readTimers(value: string): Timers {
  const timers = TIMERS.find((known) => known === value);
  if (!timers) throw bad('timers', `is "${value}"`, `It must be ${TIMERS.join(' or ')}.`);
  return timers;
}

function readSecretsAtBuild(value: string | undefined, env: Record<string, string>): SecretsAtBuild {
  if (value === undefined) return defaultAtBuild(env);
  const mode = SECRETS_AT_BUILD.find((known) => known === value);
  if (!mode) throw bad('secrets-at-build', `is "${value}"`, `It must be ${SECRETS_AT_BUILD.join(', ')}.`);
  return mode;
}

function readPlaces(writable: string | undefined, mounts: string | undefined): Places {
  const places = {
    writable: [...new Set(lines(writable).map((line) => containerPath('writable', line)))],
    mounts: lines(mounts).map(readMount),
  };
  const targets = [...places.writable, ...places.mounts.map(({ target }) => target)];
  const twice = targets.find((target, index) => targets.indexOf(target) !== index);
  if (twice) throw bad('mount', `names ${twice} a second time`, 'Name each place once, in writable or in mount.');
  return places;
}

/** An absolute path in the container, without a slash at its end. */
function containerPath(name: OptionName, value: string): string {
  if (!/^\/[^\s:,]*$/.test(value) || posix.normalize(value) !== value)
    throw bad(name, `has "${value}"`, 'Write an absolute path of the container, for instance /data.');
  return value === '/' ? value : value.replace(/\/$/, '');
}

/** `SOURCE:TARGET[:ro]`. A source with a slash or a dot in front is a path of this machine, any other is a volume. */
function readMount(line: string): Places['mounts'][number] {
  const [, source, target, access] = /^([^:]+):([^:]+)(?::(ro|rw))?$/.exec(line) ?? [];
  if (!source || !target) throw bad('mount', `has "${line}"`, 'Write SOURCE:TARGET or SOURCE:TARGET:ro.');
  const isPath = /^[./~]/.test(source);
  if (isPath && !existsSync(source))
    throw bad('mount', `names ${source}, which does not exist`, 'Name a file or folder of this machine, or a volume.');
  return {
    source: isPath ? resolve(source) : source,
    target: containerPath('mount', target),
    readOnly: access === 'ro',
  };
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
