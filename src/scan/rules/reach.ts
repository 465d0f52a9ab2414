/** What stands between the end of an atom and the next one: how often it may be repeated. */
const QUANTIFIER = /(?:[*+?]|\{(\d+)(,(\d*))?\})\??/y;

/** Escapes that take no character. */
const ZERO_WIDTH = /[bBAzZ]/;

/** An escape of one character, in full. */
const ESCAPE = /\\(?:x\{[0-9A-Fa-f]+\}|x[0-9A-Fa-f]{2}|[pP]\{[^}]*\}|[pP].|[0-7]{1,3}|.)/sy;

const CLASS = /\[\^?\]?(?:\[:\^?\w+:\]|\\(?:x\{[0-9A-Fa-f]+\}|[pP]\{[^}]*\}|.)|[^\]\\])*\]/sy;

const GROUP = /\((?:\?(?:P?<\w+>|[a-zA-Z-]*([:)])))?/y;

/**
 * The most characters that a pattern in RE2 syntax can match; Infinity where there is no bound. The pattern must be a
 * correct one.
 */
export function longestMatch(source: string): number {
  // \Q…\E takes its content literally; no rule of ours or of gitleaks has it.
  if (source.includes('\\Q')) return Number.POSITIVE_INFINITY;
  return new Measure(source).alternatives();
}

class Measure {
  private readonly source: string;
  private at = 0;

  constructor(source: string) {
    this.source = source;
  }

  alternatives(): number {
    let longest = 0;
    let current = 0;
    for (; this.at < this.source.length && this.source[this.at] !== ')'; ) {
      if (this.source[this.at] === '|') {
        this.at++;
        longest = Math.max(longest, current);
        current = 0;
        continue;
      }
      const atom = this.atom();
      const times = this.times();
      if (atom > 0 && times > 0) current += atom * times;
    }
    return Math.max(longest, current);
  }

  private atom(): number {
    const char = this.source[this.at];
    if (char === '(') {
      const opening = this.take(GROUP);
      // Flags such as `(?i)` end with the bracket and hold nothing.
      if (opening?.[1] === ')') return 0;
      const inner = this.alternatives();
      this.at++;
      return inner;
    }
    if (char === '[') {
      this.take(CLASS);
      return 1;
    }
    if (char === '\\') {
      const taken = this.take(ESCAPE);
      return ZERO_WIDTH.test(taken?.[0][1] ?? '') ? 0 : 1;
    }
    this.at++;
    return char === '^' || char === '$' ? 0 : 1;
  }

  private times(): number {
    const quantifier = this.take(QUANTIFIER);
    if (quantifier === undefined) return 1;
    const [text, least, comma, most] = quantifier;
    if (text[0] === '?') return 1;
    if (least === undefined || (comma !== undefined && most === '')) return Number.POSITIVE_INFINITY;
    return Number(most ?? least);
  }

  /** What a sticky pattern matches here, which is gone past. */
  private take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.at;
    const match = pattern.exec(this.source) ?? undefined;
    this.at += match?.[0].length ?? (pattern === QUANTIFIER ? 0 : 1);
    return match;
  }
}
