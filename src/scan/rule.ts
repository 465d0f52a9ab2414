/** What people are told of a rule. */
export interface RuleText {
  /** Stable id, as shown in findings and SARIF. */
  id: string;
  /** What it looks for, one line. */
  description: string;
  /** What to do about a finding, one line. */
  fix: string;
}

/** A pattern for a kind of secret, applied to printable runs of memory. */
export interface Rule extends RuleText {
  /** Flags `dg`. The secret is the group `secret`, or the whole match. No part may be unbounded over 16 Ki characters. */
  pattern: RegExp;
  /** Lower case; the pattern is tried only on runs that hold one of them in any case. Empty: on all. */
  keywords: readonly string[];
  /** Second look at a match; false drops it. For what a pattern can't say: checksums, placeholders, entropy. */
  accept?: (secret: string, match: RegExpExecArray) => boolean;
}

/** Shannon entropy in bits per character. */
export function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const char of text) counts.set(char, (counts.get(char) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

const PLACEHOLDER_WORD =
  /^(?:pass(?:word|wd|phrase)?|pwd|secret|token|value|string|none|null|empty|default|user(?:name)?|x+|\*+|\.+|#+|_+|-+)$/i;

const PLACEHOLDER_PART =
  /example|placeholder|redacted|change[-_ ]?me|\*\*\*|xxxx|\.\.\.|^your|your[-_ ]|my[-_ ]?(?:pass|secret|token|key)|\{[\w.: -]*\}|<[\w.: -]*>|^[<{][a-z_]*$|\$\(|^\$env:|^%\w+%$|[.>]pass(?:word|wd)?\b/i;

const SHELL_VARIABLE = /^\$[A-Z][A-Z0-9_]*$/;

/** True for what documentation, templates and masked logs put where a secret would be. */
export function isPlaceholder(text: string): boolean {
  return PLACEHOLDER_WORD.test(text) || PLACEHOLDER_PART.test(text) || SHELL_VARIABLE.test(text);
}

/** True for the looks of a random token: enough entropy, not a placeholder. */
export function looksRandom(text: string): boolean {
  return !isPlaceholder(text) && entropy(text) >= 3 && /\d/.test(text) && /[A-Za-z]/.test(text);
}

/** The text around a match, up to `reach` characters on each side. */
export function contextOf(match: RegExpExecArray, reach: number): { before: string; after: string } {
  const { index, input } = match;
  const end = index + match[0].length;
  return { before: input.slice(Math.max(0, index - reach), index), after: input.slice(end, end + reach) };
}
