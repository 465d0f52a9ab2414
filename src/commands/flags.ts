import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { SnapshotError } from '../errors.ts';
import { type Inputs, readInputs } from '../inputs.ts';
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

/** The flags of `build` and `check` as inputs. */
export function parseBuildFlags(words: string[]): Inputs {
  const names = Object.keys(OPTIONS) as OptionName[];
  const config = Object.fromEntries(
    names.map((name) => [name, { type: 'string' as const, multiple: (OPTIONS[name] as Option).kind === 'list' }]),
  );
  const { values } = parseFlags(words, config);
  return readInputs((name) => {
    const value = values[name] as string | string[] | undefined;
    return Array.isArray(value) ? value.join('\n') : value;
  });
}

/** The table of build's flags for --help. */
export function describeBuildFlags(): string {
  return (Object.entries(OPTIONS) as [string, Option][])
    .map(([name, option]) => {
      const fallback = option.default === undefined ? '' : ` Default: ${option.default}.`;
      return `  ${`--${name} ${option.value}`.padEnd(26)} ${option.help}${fallback}`;
    })
    .join('\n');
}
