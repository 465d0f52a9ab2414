import { globSync, readFileSync } from 'node:fs';
import { join, normalize, sep } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Folders of the stages; pipeline.ts alone knows their order. */
const STAGES = [
  'publish',
  'image',
  'traffic',
  'warmup',
  'checkpoint',
  'plan',
  'scan',
  'verify',
  'measure',
  'store',
  'report',
  'deploy',
] as const;

/** The only files that may read the environment. */
const DOORS = ['src/main.ts', 'src/cli.ts', 'src/session.ts'];

const sources = globSync('src/**/*.ts').map((file) => file.split(sep).join('/'));

/** Modules that a file names, whichever way: import, export … from, import(), import('…').Type. */
function modulesNamedIn(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g)].map(([, module]) => module!);
}

/** The stage that a path under src/ belongs to. */
function stageOf(path: string): string | undefined {
  return STAGES.find((stage) => path.startsWith(`src/${stage}/`));
}

describe.each(STAGES)('the stage %s', (stage) => {
  const files = sources.filter((file) => stageOf(file) === stage);

  it('has source files', () => {
    expect(files.length).toBeGreaterThan(0);
  });

  it('imports no other stage, no door and not the pipeline', () => {
    const foreign = files.flatMap((file) =>
      modulesNamedIn(file)
        .filter((module) => module.startsWith('.'))
        .map((module) =>
          normalize(join(file, '..', module))
            .split(sep)
            .join('/'),
        )
        .filter((target) => (stageOf(target) ?? stage) !== stage || [...DOORS, 'src/pipeline.ts'].includes(target))
        .map((target) => `${file} imports ${target}`),
    );
    expect(foreign).toEqual([]);
  });
});

it('only the doors read the environment', () => {
  const readers = sources.filter((file) => /process\s*\.\s*env|process\[/.test(readFileSync(file, 'utf8')));
  expect(readers.filter((file) => !DOORS.includes(file))).toEqual([]);
});

it('only the action’s door uses @actions/core', () => {
  const users = sources.filter((file) => modulesNamedIn(file).includes('@actions/core'));
  expect(users).toEqual(['src/main.ts']);
});

it('every stage folder is in the list above', () => {
  const shared = ['commands', 'engine', 'model', 'secrets'];
  const folders = new Set(sources.filter((file) => file.split('/').length > 2).map((file) => file.split('/')[1]!));
  expect([...folders].filter((folder) => !shared.includes(folder)).sort()).toEqual([...STAGES].sort());
});
