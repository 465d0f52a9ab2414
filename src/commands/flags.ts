import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { SnapshotError } from '../errors.ts';
import { type Inputs, type ReadOption, readInputs } from '../inputs.ts';
import { OPTIONS, type Option, type OptionName } from '../options.ts';

/** Parses flags; anything unknown or missing is DS1001. */
export function parseFlags<T extends ParseArgsOptionsConfig>(
  words: string[],
  options: T,
  positionals: { least: number; most: number; what: string } = { least: 0, most: 0, what: '' },
) {
  let parsed: ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>>;
  try {
    parsed = parseArgs({ args: words, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new SnapshotError('DS1001', error instanceof Error ? error.message.split('. To specify')[0]! : String(error));
  }
  const count = parsed.positionals.length;
  if (count < positionals.least) throw new SnapshotError('DS1001', `${positionals.what} is missing.`);
  if (count > positionals.most)
    throw new SnapshotError('DS1001', `"${parsed.positionals[positionals.most]}" is one word too many.`);
  return parsed;
}

const ALL_OPTIONS = Object.keys(OPTIONS) as OptionName[];

/** What the secrets gate of `build` and `checkpoint` can be told. */
export const SCAN_OPTIONS = ['scan', 'scan-policy', 'scan-baseline', 'scan-config', 'scan-key'] as const;

/** Flags of which `warm` has no use: they concern what comes after the running app. */
const AFTER_WARM = new Set<OptionName>([
  ...(['checkpoint-at', 'tag', 'secrets', 'pairs', 'clones', 'production-env', 'output'] as const),
  ...SCAN_OPTIONS,
]);

/** The flags of `warm`. */
export const WARM_OPTIONS = ALL_OPTIONS.filter((name) => !AFTER_WARM.has(name));

/** The flags of `build` and `check` as inputs. */
export function parseBuildFlags(words: string[]): Inputs {
  return readInputs(readFrom(parseFlags(words, configOf(ALL_OPTIONS)).values));
}

/** How `parseArgs` reads the flags of these options. */
export function configOf(names: readonly OptionName[]): Record<string, { type: 'string'; multiple: boolean }> {
  return Object.fromEntries(
    names.map((name) => [name, { type: 'string', multiple: (OPTIONS[name] as Option).kind === 'list' }]),
  );
}

/** Reads options out of parsed flags. */
export function readFrom(values: Record<string, unknown>): ReadOption {
  return (name) => {
    const value = values[name] as string | string[] | undefined;
    return Array.isArray(value) ? value.join('\n') : value;
  };
}

/** The table of build's flags for --help. */
export function describeBuildFlags(): string {
  return describeFlags(ALL_OPTIONS);
}

/** The table of these options as flags for --help. */
export function describeFlags(names: readonly OptionName[]): string {
  return names
    .map((name) => {
      const option: Option = OPTIONS[name];
      const fallback = option.default === undefined ? '' : ` Default: ${option.default}.`;
      return describeFlag(`--${name} ${option.value}`, `${option.help}${fallback}`);
    })
    .join('\n');
}

/** One line of such a table. */
export function describeFlag(flag: string, help: string): string {
  return `  ${flag.padEnd(29)} ${help}`;
}
