import { RE2JS } from 're2js';

/** What is wrong with a pattern; nothing where it is one in RE2 syntax. */
export function patternError(source: string): string | undefined {
  try {
    RE2JS.compile(source);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Capturing groups of a pattern. */
export function groupsOf(source: string): number {
  return RE2JS.compile(source).groupCount();
}

/** Where a pattern matched. Indices are in the text. */
export interface PatternMatch {
  secret: string;
  /** Of the secret's first character. */
  start: number;
  matchStart: number;
  matchEnd: number;
}

/**
 * A pattern in RE2 syntax, compiled when first used. RE2 takes time linear in the text for every pattern, so neither
 * a repository's configuration nor what lies in memory can make a search hang.
 */
export class Pattern {
  private readonly source: string;
  private compiled: RE2JS | undefined;

  constructor(source: string) {
    this.source = source;
  }

  private get re2(): RE2JS {
    this.compiled ??= RE2JS.compile(this.source);
    return this.compiled;
  }

  test(text: string): boolean {
    return this.re2.test(text);
  }

  /** All matches, leftmost first. `secretGroup` as in {@link RuleConfig}. Line feeds around a match are no part of it. */
  *matchesIn(text: string, secretGroup: number): Generator<PatternMatch> {
    // Whether it matches at all, a deterministic automaton tells ten times as fast.
    if (!this.re2.test(text)) return;
    const matcher = this.re2.matcher(text);
    const groups = this.re2.groupCount();
    while (matcher.find()) {
      let matchStart = matcher.start();
      let matchEnd = matcher.end();
      while (matchStart < matchEnd && text[matchStart] === '\n') matchStart++;
      while (matchEnd > matchStart && text[matchEnd - 1] === '\n') matchEnd--;
      let start = matchStart;
      let end = matchEnd;
      for (let group = secretGroup || 1; group <= (secretGroup || groups); group++) {
        if (matcher.end(group) <= matcher.start(group)) continue;
        start = matcher.start(group);
        end = matcher.end(group);
        break;
      }
      if (end > start) yield { secret: text.slice(start, end), start, matchStart, matchEnd };
    }
  }
}
