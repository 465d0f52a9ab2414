import { entropy } from '../entropy.ts';
import { Accepted } from './accepted.ts';
import { Allowlist } from './allowlist.ts';
import { CANARY_RULE_CONFIG } from './builtin.ts';
import { CHECKS, type Check } from './checks.ts';
import type { RuleConfig, RuleSetConfig } from './config.ts';
import { KeywordIndex } from './keywords.ts';
import type { RuleMatch } from './match.ts';
import { Pattern, type PatternMatch } from './pattern.ts';
import { areNear, type Proximity } from './proximity.ts';
import { longestMatch } from './reach.ts';
import { piecesOf, Stretches, type Window } from './windows.ts';

export type { RuleSetConfig } from './config.ts';

/** What the rules may know of where a text comes from. */
export interface TextContext {
  /** Name of the scanned file, with forward slashes. */
  file: string;
  /** Encoding of the text; no rule asks for it. */
  encoding?: string;
}

/** Different secrets that one rule tells of in one text; copies of one that is allowed must not stand in for others. */
const MAX_SECRETS = 1_000;

/** Characters that a local rule without a bound is applied to after a keyword, and at most before one. */
const FAR = 16 * 1024;
const NEAR = 1024;

/** Rules, compiled where first needed and applied to texts. Not shared between threads; made in each. */
export class RuleSet {
  /** All keywords of all rules, lower case, each once. */
  readonly keywords: string[];
  /** True where a rule has no keyword, so that it has to see every text. */
  readonly hasUnkeyed: boolean;
  private readonly rules: readonly CompiledRule[];
  private readonly byId = new Map<string, CompiledRule>();
  private readonly unkeyed: readonly CompiledRule[];
  private readonly index: KeywordIndex<CompiledRule>;

  /** Throws DS9001 where a pattern is no RE2 pattern: {@link loadRules} has tried each. */
  constructor(config: RuleSetConfig) {
    const allowlists = config.allowlists.map((allowlist) => new Allowlist(allowlist));
    const rules = config.rules.filter((rule) => rule.id !== CANARY_RULE_CONFIG.id);
    this.rules = [
      new CompiledRule(CANARY_RULE_CONFIG, 0, []),
      ...rules.map((rule, index) => new CompiledRule(rule, index + 1, allowlists)),
    ];
    for (const rule of this.rules) this.byId.set(rule.config.id, rule);
    const active = this.rules.filter(({ config: rule }) => !rule.disabled && !rule.skipReport && rule.regex);
    this.unkeyed = active.filter(({ config: rule }) => rule.keywords.length === 0);
    this.hasUnkeyed = this.unkeyed.length > 0;
    this.index = new KeywordIndex(active.flatMap((rule) => rule.config.keywords.map((word) => [word, rule] as const)));
    this.keywords = this.index.words;
  }

  /** Rules that are applied. */
  get size(): number {
    return this.rules.filter(({ config }) => !config.disabled && !config.skipReport).length;
  }

  /**
   * Tells of all secrets in a text, in no particular order. Where matches of several rules overlap, only that of the
   * rule with the highest precedence is told of. Time is linear in the text's length, whatever the patterns are.
   */
  search(text: string, context: TextContext, found: (match: RuleMatch) => void): void {
    const stretches = new Map<CompiledRule, Stretches | undefined>();
    for (const rule of this.unkeyed) stretches.set(rule, undefined);
    this.index.visit(text, (rule, start, end) => {
      let around = stretches.get(rule);
      if (around === undefined) {
        around = rule.stretches();
        stretches.set(rule, around);
      }
      around?.add(start, end);
    });
    const accepted = new Accepted();
    for (const rule of [...stretches.keys()].sort((a, b) => a.rank - b.rank)) {
      const windows = stretches.get(rule)?.windowsOf(text) ?? piecesOf(text);
      for (const match of this.withRequired(rule, text, context, rule.matches(text, windows, context))) {
        if (accepted.add(match.start, match.start + match.secret.length)) found(match);
      }
    }
  }

  /**
   * What one rule matches in a text, the rule's being switched off and keywords aside.
   * Nothing where there is no such rule.
   */
  matchesOfRule(id: string, text: string, context: TextContext): RuleMatch[] {
    const rule = this.byId.get(id);
    return rule === undefined ? [] : rule.matches(text, piecesOf(text), context);
  }

  /** Those of a rule's matches that have all others that the rule requires near them. */
  private withRequired(rule: CompiledRule, text: string, context: TextContext, matches: RuleMatch[]): RuleMatch[] {
    const { required } = rule.config;
    if (matches.length === 0 || required.length === 0) return matches;
    const others = required.map(
      (other): Proximity => ({ required: other, matches: this.matchesOfRule(other.id, text, context) }),
    );
    return matches.filter((match) => others.every((other) => areNear(text, match, other)));
  }
}

class CompiledRule {
  readonly config: RuleConfig;
  /** Place in the order of precedence; 0 comes first. */
  readonly rank: number;
  readonly path: Pattern | undefined;
  private readonly pattern: Pattern | undefined;
  private readonly check: Check | undefined;
  private readonly allowlists: readonly Allowlist[];
  /** Characters that a match can have, for a rule that is local. */
  private reach: number | undefined;

  constructor(config: RuleConfig, rank: number, globalAllowlists: readonly Allowlist[]) {
    this.config = config;
    this.rank = rank;
    this.path = config.path === undefined ? undefined : new Pattern(config.path);
    this.pattern = config.regex === undefined ? undefined : new Pattern(config.regex);
    this.check = config.check === undefined ? undefined : CHECKS[config.check];
    this.allowlists = [...globalAllowlists, ...config.allowlists.map((allowlist) => new Allowlist(allowlist))];
  }

  /** For the surroundings of its keywords, where those are all that the rule is applied to. */
  stretches(): Stretches | undefined {
    if (!this.config.isLocal) return undefined;
    this.reach ??= Math.min(longestMatch(this.config.regex ?? ''), FAR);
    return new Stretches(Math.min(this.reach, NEAR), this.reach);
  }

  matches(text: string, windows: Iterable<Window>, context: TextContext): RuleMatch[] {
    const found: RuleMatch[] = [];
    const secrets = new Set<string>();
    if (this.pattern === undefined || this.path?.test(context.file) === false) return found;
    if (this.allowlists.some((allowlist) => allowlist.allowsFile(context.file))) return found;
    const { id: ruleId, description, secretGroup } = this.config;
    for (const window of windows) {
      for (const match of this.pattern.matchesIn(window.text, secretGroup)) {
        const { secret } = match;
        const start = match.start + window.start;
        const matchStart = match.matchStart + window.start;
        const matchEnd = match.matchEnd + window.start;
        if (matchStart < window.from || matchStart >= window.to || matchEnd > window.end) continue;
        if (!this.accepts(text, { secret, start, matchStart, matchEnd }, context)) continue;
        found.push({ ruleId, description, secret, start, matchStart });
        if (secrets.add(secret).size === MAX_SECRETS) return found;
      }
    }
    return found;
  }

  private accepts(text: string, match: PatternMatch, context: TextContext): boolean {
    if (this.config.entropy !== 0 && entropy(match.secret) <= this.config.entropy) return false;
    if (this.check?.(match, text) === false) return false;
    return !this.allowlists.some((allowlist) => allowlist.allows(text, match, context.file));
  }
}
