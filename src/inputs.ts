import { SnapshotError } from './errors.ts';
import type { KnownSecret, Source } from './model/index.ts';
import { OPTIONS, type Option, type OptionName } from './options.ts';

/** What the pipeline is asked to do; every value checked. */
export interface Inputs {
  source: Source;
  trafficFile: string;
  name?: string;
  baseImage?: string;
  tag?: string;
  user?: string;
  port: number;
  readyPath: string;
  readyMillis: number;
  warmupMillis: number;
  env: Record<string, string>;
  network?: string;
  secrets: KnownSecret[];
  pairs: number;
  clones: number;
  output?: string;
}

/** How a door hands over an option: its text, or undefined or empty where it was not given. Lists are one item a line. */
export type ReadOption = (name: OptionName) => string | undefined;

/** Turns options into inputs. Every error is DS1001 and names the option and the fix. */
export function readInputs(read: ReadOption): Inputs {
  const text = (name: OptionName): string | undefined => {
    const option: Option = OPTIONS[name];
    return read(name)?.trim() || option.default;
  };
  const optional = <K extends string>(key: K, name: OptionName) => {
    const value = text(name);
    return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
  };
  const traffic = text('traffic');
  if (traffic === undefined)
    throw bad('traffic', 'is missing', 'Name the recorded traffic, for instance traffic.yaml.');
  const readyPath = text('ready-path')!;
  if (!readyPath.startsWith('/'))
    throw bad('ready-path', `is "${readyPath}"`, 'It must begin with a slash, for instance /healthz.');
  return {
    source: readSource(text),
    trafficFile: traffic,
    port: whole('port', text('port')!, 1, 65_535),
    readyPath,
    readyMillis: whole('ready-timeout', text('ready-timeout')!, 1, 3600) * 1000,
    warmupMillis: whole('warmup-timeout', text('warmup-timeout')!, 1, 3600) * 1000,
    env: Object.fromEntries(pairs('env', text('env'))),
    secrets: pairs('secrets', text('secrets')).map(([name, value]) => ({ name: `secret ${name}`, value })),
    pairs: whole('pairs', text('pairs')!, 1, 100),
    clones: whole('clones', text('clones')!, 1, 100),
    ...optional('name', 'name'),
    ...optional('baseImage', 'base-image'),
    ...optional('tag', 'tag'),
    ...optional('user', 'user'),
    ...optional('network', 'network'),
    ...optional('output', 'output'),
  };
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
