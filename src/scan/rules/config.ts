/** Where a rule comes from. */
export type RuleOrigin = 'dotnet-snapshot' | 'gitleaks' | 'repository';

/** What is no secret, though a rule matches it: gitleaks' `[[allowlists]]`. Patterns are in RE2 syntax. */
export interface AllowlistConfig {
  /** Whether one of the conditions is enough, or all that are given must hold. */
  condition: 'or' | 'and';
  /** What `regexes` are applied to: the secret, the rule's whole match, or the line that the match begins in. */
  regexTarget: 'secret' | 'match' | 'line';
  regexes: string[];
  /** Lower case; anywhere in the secret, in any case. */
  stopwords: string[];
  /** Applied to the name of the scanned file. */
  paths: string[];
  /** True where it names commits: a snapshot has none, so under `and` it never holds. */
  hasCommits: boolean;
}

/** Another rule that has to match in the same text: gitleaks' `[[rules.required]]`. */
export interface RequiredConfig {
  id: string;
  withinLines?: number;
  withinColumns?: number;
}

/** A rule in gitleaks' terms. Patterns are in RE2 syntax. */
export interface RuleConfig {
  id: string;
  /** What it looks for, one line. */
  description: string;
  origin: RuleOrigin;
  regex?: string;
  /** Applied to the name of the scanned file. */
  path?: string;
  /** Which group of `regex` is the secret; 0: the first that is not empty, or else the whole match. */
  secretGroup: number;
  /** Bits per character that the secret must exceed; 0: not looked at. */
  entropy: number;
  /** Lower case; the rule is applied to texts that hold one of them in any case. Empty: to all. */
  keywords: string[];
  tags: string[];
  allowlists: AllowlistConfig[];
  required: RequiredConfig[];
  /** True for a rule that only serves others as a required one. */
  skipReport: boolean;
  /** True for a rule that is switched off; it still gives a meaning to entries of .gitleaksignore. */
  disabled: boolean;
  /**
   * True where no match is far from a keyword, so that only the surroundings of keywords have to be looked at. Not for
   * a repository's rules: gitleaks is content with a keyword anywhere in the text.
   */
  isLocal: boolean;
  /** Name of a second look at each match (checks.ts), for what a pattern can't say. */
  check?: string;
}

/**
 * Everything a {@link RuleSet} is made from. Plain data: it crosses into worker threads by structured clone.
 * Rules stand in the order of their precedence: where matches overlap, the first one counts.
 */
export interface RuleSetConfig {
  rules: RuleConfig[];
  /** They hold for every rule. */
  allowlists: AllowlistConfig[];
  /** What a user should know of the files that the rules come from, one line each; no values. */
  warnings: string[];
}
