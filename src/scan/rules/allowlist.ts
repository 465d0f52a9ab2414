import type { AllowlistConfig } from './config.ts';
import { Pattern, type PatternMatch } from './pattern.ts';

/** CRIU's images. They hold memory and kernel records, which no path of a repository names. */
const IMAGE = /\.img$/;

/** A compiled allowlist, with gitleaks' meaning: any of its conditions, or all that it has under `and`. */
export class Allowlist {
  private readonly config: AllowlistConfig;
  private readonly regexes: readonly Pattern[];
  private readonly paths: readonly Pattern[];

  constructor(config: AllowlistConfig) {
    this.config = config;
    this.regexes = config.regexes.map((regex) => new Pattern(regex));
    this.paths = config.paths.map((path) => new Pattern(path));
  }

  /** True where the file's name is enough. */
  allowsFile(file: string): boolean {
    const { condition, regexes, stopwords, hasCommits } = this.config;
    const nameIsEnough = condition === 'or' || (regexes.length === 0 && stopwords.length === 0 && !hasCommits);
    return nameIsEnough && this.matchesPath(file);
  }

  /** True where a match is none of a secret. */
  allows(text: string, match: PatternMatch, file: string): boolean {
    const { condition, stopwords, hasCommits } = this.config;
    if (condition === 'or') return this.matchesRegex(text, match) || this.hasStopword(match.secret);
    if (hasCommits) return false;
    return (
      (this.paths.length === 0 || this.matchesPath(file)) &&
      (this.regexes.length === 0 || this.matchesRegex(text, match)) &&
      (stopwords.length === 0 || this.hasStopword(match.secret))
    );
  }

  private matchesPath(file: string): boolean {
    return !IMAGE.test(file) && this.paths.some((path) => path.test(file));
  }

  private matchesRegex(text: string, match: PatternMatch): boolean {
    if (this.regexes.length === 0) return false;
    const { regexTarget } = this.config;
    const target =
      regexTarget === 'secret'
        ? match.secret
        : regexTarget === 'match'
          ? text.slice(match.matchStart, match.matchEnd)
          : lineAround(text, match);
    return this.regexes.some((regex) => regex.test(target));
  }

  private hasStopword(secret: string): boolean {
    if (this.config.stopwords.length === 0) return false;
    const lower = secret.toLowerCase();
    return this.config.stopwords.some((word) => lower.includes(word));
  }
}

/** The line or lines that a match lies in. */
function lineAround(text: string, { matchStart, matchEnd }: PatternMatch): string {
  const next = text.indexOf('\n', matchEnd);
  return text.slice(text.lastIndexOf('\n', Math.max(0, matchStart - 1)) + 1, next < 0 ? text.length : next);
}
