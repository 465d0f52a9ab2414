import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { SnapshotError } from '../../errors.ts';
import { CHECKS } from './checks.ts';
import type { RuleConfig, RuleOrigin, RuleSetConfig } from './config.ts';
import { extend, type GatheredRules, noRules, requireWhole } from './extend.ts';
import { type RuleFile, readRuleFile } from './translate.ts';

/** Where rules come from. */
export interface RuleSources {
  /** This project's folder `rules`, which holds `gitleaks.toml`, `dotnet.toml` and `README.md`. */
  rulesDirectory: string;
  /** Path of a repository's own `.gitleaks.toml`. It changes our rules as it would change gitleaks' default ones. */
  repositoryConfig?: string;
}

/** Files that one file may extend, one through the other; gitleaks has the same limit. */
const MAX_EXTENDED = 2;

const VENDORED_VERSION = /\bgitleaks v(\d+\.\d+\.\d+)/;

const ORIGINS: readonly RuleOrigin[] = ['repository', 'dotnet-snapshot', 'gitleaks'];

/**
 * Our rules for .NET on top of gitleaks' default ones, then what a repository says. With `useDefault` unset there,
 * gitleaks' rules are off, as gitleaks does it; ours stay.
 * Throws DS1001 with file, line and rule where a file says what can't be done, or can't be read.
 */
export function loadRules({ rulesDirectory, repositoryConfig }: RuleSources): RuleSetConfig {
  const vendored = readShipped(join(rulesDirectory, 'gitleaks.toml'), 'gitleaks');
  const dotnet = readShipped(join(rulesDirectory, 'dotnet.toml'), 'dotnet-snapshot');
  // They name files of sources and of builds, `.bin` and `.dll` among them; a snapshot's files are none of those.
  for (const allowlist of vendored.allowlists) allowlist.paths = [];
  vendored.allowlists = vendored.allowlists.filter(({ regexes, stopwords }) => regexes.length + stopwords.length > 0);
  const standard = extend(dotnet, extend(vendored, noRules()));
  const files = [dotnet, vendored];
  let set = standard;
  if (repositoryConfig !== undefined) {
    const alone = extend({ ...dotnet, extend: { useDefault: false, disabledRules: [] } }, noRules());
    const own = readRepositoryFiles(repositoryConfig);
    files.unshift(...own);
    set = own.reduceRight((base, file) => extend(file, base), own.at(-1)!.extend.useDefault ? standard : alone);
    warnOfVersion(set, repositoryConfig, rulesDirectory);
    warnOfPaths(set, own);
  }
  requireWhole(set, files);
  return { rules: inOrder(set.rules), allowlists: set.allowlists, warnings: set.warnings };
}

function readShipped(path: string, origin: RuleOrigin): RuleFile {
  const file = readRuleFile(readText(path), basename(path), origin);
  for (const rule of file.rules) if (Object.hasOwn(CHECKS, rule.id)) rule.check = rule.id;
  return file;
}

/** A repository's file and those that it extends by path, in this order. */
function readRepositoryFiles(path: string): RuleFile[] {
  const files: RuleFile[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    if (files.length > MAX_EXTENDED) {
      throw new SnapshotError('DS1001', `${path} extends more than ${MAX_EXTENDED} files, one through the other.`);
    }
    const file: RuleFile = readRuleFile(readText(next), next, 'repository');
    files.push(file);
    next = file.extend.path === undefined ? undefined : resolve(dirname(next), file.extend.path);
  }
  return files;
}

function warnOfVersion(set: GatheredRules, repositoryConfig: string, rulesDirectory: string): void {
  const here = VENDORED_VERSION.exec(readText(join(rulesDirectory, 'README.md')))?.[1];
  const wanted = set.minVersion?.replace(/^v/, '');
  if (here === undefined || wanted === undefined || here.localeCompare(wanted, 'en', { numeric: true }) >= 0) return;
  set.warnings.push(`${repositoryConfig}: it asks for gitleaks ${wanted}; the rules here are those of ${here}.`);
}

/** A rule without a pattern tells of a file by its name; a snapshot has none of a repository's files. */
function warnOfPaths(set: GatheredRules, own: readonly RuleFile[]): void {
  for (const { id, origin, regex, disabled } of set.rules.values()) {
    if (origin !== 'repository' || regex !== undefined || disabled) continue;
    const file = own.find(({ lines }) => lines.has(id))?.file;
    set.warnings.push(`${file}: the rule "${id}" has only a path, so it finds nothing in a snapshot.`);
  }
}

/** By precedence: what a repository says of its own secrets is most specific, rules of any kind of secret least. */
function inOrder(rules: ReadonlyMap<string, RuleConfig>): RuleConfig[] {
  const isGeneric = ({ id, tags }: RuleConfig) => /generic/i.test(id) || tags.includes('generic');
  const rankOf = (rule: RuleConfig) => ORIGINS.indexOf(rule.origin) + (isGeneric(rule) ? ORIGINS.length : 0);
  return [...rules.values()].sort((a, b) => rankOf(a) - rankOf(b));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SnapshotError('DS1001', `The rules ${path} can't be read.`, { detail: String(error) });
  }
}
