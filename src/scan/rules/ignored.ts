import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { SnapshotError } from '../../errors.ts';
import { STAND_INS } from './extend.ts';
import { placeOf } from './proximity.ts';
import type { RuleSet } from './ruleset.ts';

/** A value that a repository's `.gitleaksignore` accepts, by what may be known of it. Any rule may match it in a snapshot. */
export interface IgnoredValue {
  /** SHA-256 of the value in UTF-8, hex. Stays inside the process. */
  sha256: string;
}

/** What a `.gitleaksignore` comes to. */
export interface Ignored {
  values: IgnoredValue[];
  /** Entries that match nothing any more or can't be read, one line each; no values. */
  warnings: string[];
}

interface Entry {
  /** In the `.gitleaksignore`. */
  line: number;
  commit: string | undefined;
  file: string;
  ruleId: string;
  /** In the source, beginning with 1: where the rule's match begins. */
  atLine: number;
}

/** Runs a program by argv; a failing exit code is a result. The project's `Run` is one. */
export type RunProgram = (argv: readonly string[]) => Promise<{ code: number; stdout: string }>;

/**
 * The values that the entries of a `.gitleaksignore` stand for: `file:rule:line` in the worktree at `root`, or
 * `commit:file:rule:line` in its history. Each line is read, and what the rule matches there is accepted in a
 * snapshot too. `run` is asked for `git show`. Throws DS1001 where the file can't be read.
 */
export async function readIgnored(path: string, root: string, ruleSet: RuleSet, run: RunProgram): Promise<Ignored> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new SnapshotError('DS1001', `${path} can't be read.`, { detail: String(error) });
  }
  const warnings: string[] = [];
  const hashes = new Set<string>();
  const sources = new Map<string, Promise<string | undefined>>();
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const entry = entryOf(line, index + 1);
    if (entry === undefined) {
      warnings.push(`${path}, line ${index + 1}: it is neither file:rule:line nor commit:file:rule:line.`);
      continue;
    }
    const key = `${entry.commit ?? ''}:${entry.file}`;
    const source = sources.get(key) ?? sourceOf(entry, root, run);
    sources.set(key, source);
    const found = hashesAt(await source, entry, ruleSet);
    for (const hash of found) hashes.add(hash);
    if (found.length === 0) {
      warnings.push(`${path}, line ${entry.line}: the rule "${entry.ruleId}" matches nothing at the place named.`);
    }
  }
  return { values: [...hashes].map((sha256) => ({ sha256 })), warnings };
}

/** An entry, from its end: a file's name may hold a colon, though gitleaks reads none. */
function entryOf(text: string, line: number): Entry | undefined {
  const [, commit, file, ruleId, at] =
    /^(?:([0-9a-f]{7,64}):)?([^:]+(?::[^:]+)*?):([^:]+):(\d{1,9})$/i.exec(text) ?? [];
  if (file === undefined || ruleId === undefined) return undefined;
  return { line, commit, file: file.replaceAll('\\', '/'), ruleId, atLine: Number(at) };
}

/** The text of an entry's file; nothing where there is none, or where it is outside the repository. */
async function sourceOf({ commit, file }: Entry, root: string, run: RunProgram): Promise<string | undefined> {
  const path = resolve(root, file);
  const inside = relative(resolve(root), path);
  if (inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return undefined;
  try {
    if (commit === undefined) return (await readFile(path)).toString('utf8');
    const { code, stdout } = await run(['git', '-C', root, 'show', '--no-textconv', `${commit}:${file}`]);
    return code === 0 ? stdout : undefined;
  } catch {
    return undefined;
  }
}

function hashesAt(source: string | undefined, entry: Entry, ruleSet: RuleSet): string[] {
  if (source === undefined) return [];
  return [entry.ruleId, STAND_INS[entry.ruleId]]
    .filter((id) => id !== undefined)
    .flatMap((id) => ruleSet.matchesOfRule(id, source, { file: entry.file }))
    .filter((match) => placeOf(source, match.matchStart).line === entry.atLine)
    .map(({ secret }) => createHash('sha256').update(secret).digest('hex'));
}
