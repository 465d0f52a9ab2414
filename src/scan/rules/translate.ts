import { CANARY_RULE } from '../canaries.ts';
import type { AllowlistConfig, RequiredConfig, RuleConfig, RuleOrigin } from './config.ts';
import { patternError } from './pattern.ts';
import { headerLines, type Origin, parseToml, TableReader, wrongRules } from './toml.ts';

/** One file of rules, read and checked, before it extends another. */
export interface RuleFile {
  file: string;
  extend: { path?: string; useDefault: boolean; disabledRules: string[] };
  rules: RuleConfig[];
  /** They hold for every rule. */
  allowlists: AllowlistConfig[];
  /** They hold for the rules that they name. */
  targeted: { targets: string[]; allowlist: AllowlistConfig }[];
  minVersion?: string;
  warnings: string[];
  /** Line of each rule, by its id. */
  lines: Map<string, number>;
}

/** Keys that only describe a file or a rule. */
const TITLES = ['title', 'description'];

/**
 * Reads a file in the format of gitleaks' configuration. `file` is its name in messages.
 * Throws DS1001 with file, line and rule where it can't be followed to the letter.
 */
export function readRuleFile(text: string, file: string, origin: RuleOrigin): RuleFile {
  const place = { file, isShipped: origin !== 'repository' };
  const top = new TableReader(parseToml(text, file), place, 'the file');
  const warnings: string[] = [];
  const tell = (reader: TableReader, where: string) => {
    for (const key of reader.unread()) warnings.push(`${file}: ${where} has no meaning for the key "${key}".`);
  };
  const extend = new TableReader(top.tables('extend')[0] ?? {}, place, 'extend');
  if (extend.has('url')) {
    extend.fail('extend.url is not supported: a build must not take its rules from the network; use extend.path');
  }
  const path = extend.text('path');
  const useDefault = extend.flag('useDefault');
  if (path !== undefined && useDefault) extend.fail('extend has both path and useDefault; keep one');
  const disabledRules = extend.texts('disabledRules');
  tell(extend, '[extend]');

  const lines = headerLines(text, 'rules');
  const rules = top
    .tables('rules')
    .map((table, index) => readRule(table, { ...place, line: lines[index] ?? 0 }, origin, tell));
  requireUniqueIds(rules, file, lines);

  const allowlists: AllowlistConfig[] = [];
  const targeted: RuleFile['targeted'] = [];
  for (const table of allowlistTables(top, 'the file')) {
    const reader = new TableReader(table, place, 'an allowlist');
    const targets = reader.texts('targetRules');
    const allowlist = readAllowlist(reader, tell);
    if (targets.length > 0) targeted.push({ targets, allowlist });
    else allowlists.push(allowlist);
  }
  for (const title of TITLES) top.text(title);
  const minVersion = top.text('minVersion');
  tell(top, 'the file');
  return {
    file,
    extend: { useDefault, disabledRules, ...(path !== undefined && { path }) },
    rules,
    allowlists,
    targeted,
    warnings,
    lines: new Map(rules.map(({ id }, index) => [id, lines[index] ?? 0])),
    ...(minVersion !== undefined && { minVersion }),
  };
}

type Tell = (reader: TableReader, where: string) => void;

function readRule(table: unknown, place: Origin, origin: RuleOrigin, tell: Tell): RuleConfig {
  const named = new TableReader(table, place, 'a rule');
  const id = named.text('id')?.trim();
  if (id === undefined || id === '') return named.fail('a rule has no id');
  const reader = new TableReader(table, { ...place, rule: id }, 'the rule');
  reader.text('id');
  if (id === CANARY_RULE) reader.fail('the id is that of a built-in rule; choose another');
  const regex = readPattern(reader, 'regex');
  const path = readPattern(reader, 'path');
  const secretGroup = reader.number('secretGroup') ?? 0;
  if (!Number.isInteger(secretGroup) || secretGroup < 0) reader.fail('secretGroup must be the number of a group');
  const rule: RuleConfig = {
    id,
    description: reader.text('description') ?? '',
    origin,
    secretGroup,
    entropy: reader.number('entropy') ?? 0,
    keywords: reader.texts('keywords').map((word) => word.toLowerCase()),
    tags: reader.texts('tags'),
    allowlists: allowlistTables(reader, 'the rule').map((allowlist) =>
      readAllowlist(new TableReader(allowlist, reader.origin, 'an allowlist'), tell),
    ),
    required: reader.tables('required').map((required) => readRequired(required, reader)),
    skipReport: reader.flag('skipReport'),
    disabled: false,
    isLocal: false,
    ...(regex !== undefined && { regex }),
    ...(path !== undefined && { path }),
  };
  if (rule.keywords.includes('')) reader.fail('a keyword is empty');
  // Most of gitleaks' rules have keywords that their patterns begin with; a few ask for the name of a service anywhere.
  const isPart = (word: string) => regex?.toLowerCase().includes(word.slice(0, 3)) === true;
  rule.isLocal = origin === 'dotnet-snapshot' || (origin === 'gitleaks' && rule.keywords.every(isPart));
  tell(reader, `the rule "${id}"`);
  return rule;
}

function readRequired(table: unknown, rule: TableReader): RequiredConfig {
  const reader = new TableReader(table, rule.origin, 'required');
  const id = reader.text('id') ?? '';
  if (id === '') reader.fail('a required rule has no id');
  const withinLines = reader.number('withinLines');
  const withinColumns = reader.number('withinColumns');
  return {
    id,
    ...(withinLines !== undefined && { withinLines }),
    ...(withinColumns !== undefined && { withinColumns }),
  };
}

/** The tables of an allowlist, in the form with two brackets or the older one with one. */
function allowlistTables(reader: TableReader, what: string): unknown[] {
  const older = reader.tables('allowlist');
  const tables = reader.tables('allowlists');
  if (older.length > 0 && tables.length > 0) reader.fail(`${what} has both allowlist and allowlists; keep the second`);
  return [...older, ...tables];
}

function readAllowlist(reader: TableReader, tell: Tell): AllowlistConfig {
  reader.text('description');
  const regexes = readPatterns(reader, 'regexes');
  const paths = readPatterns(reader, 'paths');
  const stopwords = reader.texts('stopwords').map((word) => word.toLowerCase());
  const hasCommits = reader.texts('commits').length > 0;
  if (regexes.length + paths.length + stopwords.length === 0 && !hasCommits) {
    reader.fail('an allowlist needs at least one of regexes, paths, stopwords or commits');
  }
  if (stopwords.includes('')) reader.fail('a stopword is empty, so the allowlist would allow everything');
  const condition = conditionOf(reader);
  const regexTarget = reader.text('regexTarget') || 'secret';
  if (regexTarget !== 'secret' && regexTarget !== 'match' && regexTarget !== 'line') {
    reader.fail('regexTarget of an allowlist must be "secret", "match" or "line"');
  }
  tell(reader, 'an allowlist');
  return { condition, regexTarget, regexes, stopwords, paths, hasCommits };
}

function conditionOf(reader: TableReader): 'or' | 'and' {
  const condition = (reader.text('condition') ?? '').toUpperCase();
  if (condition === '' || condition === 'OR' || condition === '||') return 'or';
  if (condition === 'AND' || condition === '&&') return 'and';
  return reader.fail('condition of an allowlist must be "or" or "and"');
}

function readPattern(reader: TableReader, key: string): string | undefined {
  const pattern = reader.text(key);
  return pattern === undefined || pattern === '' ? undefined : requirePattern(reader, key, pattern);
}

function readPatterns(reader: TableReader, key: string): string[] {
  return reader.texts(key).map((pattern) => requirePattern(reader, key, pattern));
}

function requirePattern(reader: TableReader, key: string, pattern: string): string {
  const error = reader.origin.isShipped ? undefined : patternError(pattern);
  return error === undefined ? pattern : reader.fail(`${key} has a pattern that is no RE2 pattern: ${error}`);
}

function requireUniqueIds(rules: RuleConfig[], file: string, lines: number[]): void {
  const seen = new Set<string>();
  for (const [index, { id }] of rules.entries()) {
    if (seen.has(id)) throw wrongRules({ file, line: lines[index] ?? 0, rule: id }, 'another rule has the same id');
    seen.add(id);
  }
}
