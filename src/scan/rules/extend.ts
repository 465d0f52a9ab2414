import type { AllowlistConfig, RuleConfig } from './config.ts';
import { groupsOf } from './pattern.ts';
import { wrongRules } from './toml.ts';
import type { RuleFile } from './translate.ts';

/** Rules of one or more files, one extending the other. */
export interface GatheredRules {
  rules: Map<string, RuleConfig>;
  allowlists: AllowlistConfig[];
  warnings: string[];
  /** Newest version of gitleaks that a file asks for. */
  minVersion?: string;
}

/**
 * Rules of gitleaks that one of ours stands in for. What a repository allows or switches off under the name that it
 * knows holds for ours too.
 */
export const STAND_INS: Readonly<Record<string, string>> = { 'generic-api-key': 'generic-secret-setting' };

/** What a file extends when it extends nothing. */
export function noRules(): GatheredRules {
  return { rules: new Map(), allowlists: [], warnings: [] };
}

/**
 * A file's rules on top of `base`, by gitleaks' own order: a rule that both have is the base's with what the file
 * says in its place and with keywords, tags and allowlists added; allowlists are added. Leaves `base` as it is.
 * Throws DS1001 where an allowlist targets a rule that neither has.
 */
export function extend(file: RuleFile, base: GatheredRules): GatheredRules {
  const { rules, allowlists, warnings } = structuredClone(base);
  for (const id of file.extend.disabledRules) {
    const named = [id, STAND_INS[id]].map((name) => rules.get(name ?? ''));
    if (named[0] === undefined) warnings.push(`${file.file}: disabledRules names "${id}", which is no rule.`);
    for (const rule of named) if (rule !== undefined) rule.disabled = true;
  }
  for (const own of file.rules) {
    const known = rules.get(own.id);
    rules.set(own.id, known === undefined || isReplaced(known, own) ? own : merge(known, own));
    shareAllowlists(rules, own.id, own.allowlists);
  }
  for (const { targets, allowlist } of file.targeted) {
    for (const id of targets) {
      const rule = rules.get(id);
      if (rule === undefined) throw wrongRules(file, `an allowlist targets the rule "${id}", which does not exist`);
      rule.allowlists.push(allowlist);
      shareAllowlists(rules, id, [allowlist]);
    }
  }
  const minVersion = file.minVersion ?? base.minVersion;
  return {
    rules,
    allowlists: [...file.allowlists, ...allowlists],
    warnings: [...warnings, ...file.warnings],
    ...(minVersion !== undefined && { minVersion }),
  };
}

/** A rule that is switched off comes back only with a pattern of its own. */
function isReplaced(known: RuleConfig, own: RuleConfig): boolean {
  return known.disabled && (own.regex !== undefined || own.path !== undefined);
}

function merge(base: RuleConfig, own: RuleConfig): RuleConfig {
  const { regex, path } = own;
  const { check, ...rest } = base;
  // A second look fits the pattern that it was made for.
  const finalCheck = regex === undefined ? check : own.check;
  return {
    ...rest,
    description: own.description || base.description,
    entropy: own.entropy || base.entropy,
    secretGroup: own.secretGroup || base.secretGroup,
    tags: [...base.tags, ...own.tags],
    keywords: [...new Set([...base.keywords, ...own.keywords])],
    allowlists: [...base.allowlists, ...own.allowlists],
    required: own.required.length > 0 ? own.required : base.required,
    skipReport: own.skipReport || base.skipReport,
    isLocal: base.isLocal && (own.isLocal || (own.regex === undefined && own.keywords.length === 0)),
    ...(regex !== undefined && { regex, origin: own.origin }),
    ...(path !== undefined && { path }),
    ...(finalCheck !== undefined && { check: finalCheck }),
  };
}

function shareAllowlists(rules: Map<string, RuleConfig>, id: string, allowlists: readonly AllowlistConfig[]): void {
  rules.get(STAND_INS[id] ?? '')?.allowlists.push(...allowlists);
}

/** Throws DS1001 where a rule can match nothing, or names a group or a rule that does not exist. */
export function requireWhole({ rules }: GatheredRules, files: readonly RuleFile[]): void {
  for (const { id, regex, path, secretGroup, required } of rules.values()) {
    const owner = files.find((file) => file.lines.has(id));
    const origin = { file: owner?.file ?? 'the rules', line: owner?.lines.get(id) ?? 0, rule: id };
    if (regex === undefined && path === undefined) throw wrongRules(origin, 'it has neither regex nor path');
    if (regex !== undefined && secretGroup > groupsOf(regex)) {
      throw wrongRules(origin, `secretGroup is ${secretGroup}, but regex has ${groupsOf(regex)} groups`);
    }
    const missing = required.find((other) => !rules.has(other.id));
    if (missing !== undefined) throw wrongRules(origin, `it requires the rule "${missing.id}", which does not exist`);
  }
}
