import type { Rule } from './rule.ts';

/** Shortest run that the rules are applied to, in characters. Below it, chance matches outnumber secrets. */
const MIN_RULE_RUN = 16;

/** A match of a rule in a run; `start` is the index of the secret, `matchStart` that of the whole match. */
export interface RuleHit {
  rule: Rule;
  secret: string;
  start: number;
  matchStart: number;
}

/** Applies rules to runs. Most runs hold no keyword of any rule and cost one regular expression. */
export class RuleSearch {
  private readonly rules: readonly Rule[];
  private readonly anyKeyword: RegExp | undefined;

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    const words = rules.flatMap((rule) => rule.keywords.map(escapeForRegExp));
    if (rules.every((rule) => rule.keywords.length > 0)) this.anyKeyword = new RegExp(words.join('|'), 'i');
  }

  /** All accepted matches of all rules in one printable run. */
  searchRun(text: string, found: (hit: RuleHit) => void): void {
    if (text.length < MIN_RULE_RUN || this.anyKeyword?.test(text) === false) return;
    const lower = text.toLowerCase();
    for (const rule of this.rules) {
      if (rule.keywords.length > 0 && !rule.keywords.some((word) => lower.includes(word))) continue;
      for (const match of text.matchAll(rule.pattern)) {
        const secret = match.groups?.secret ?? match[0];
        if (rule.accept?.(secret, match) === false) continue;
        const start = match.indices?.groups?.secret?.[0] ?? match.index;
        found({ rule, secret, start, matchStart: match.index });
      }
    }
  }
}

function escapeForRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
