import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from './machine.ts';

const DOCUMENT = join(ROOT, 'docs', 'performance.md');

/**
 * Prints a result and, where `record` is set, puts it into docs/performance.md between `<!-- name -->` and
 * `<!-- /name -->`. Throws where the document has no such place.
 */
export async function publishResult(name: string, markdown: string, record = false): Promise<void> {
  console.log(markdown);
  if (!record) return;
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const text = await readFile(DOCUMENT, 'utf8');
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${DOCUMENT} has no ${begin} … ${end}`);
  await writeFile(DOCUMENT, `${text.slice(0, from)}${begin}\n\n${markdown}\n\n${text.slice(to)}`);
}
