/** A match of a rule in a text. */
export interface RuleMatch {
  ruleId: string;
  description: string;
  /** The secret itself, which goes no further than the worker that found it. */
  secret: string;
  /** Index of the secret's first character in the text, and of the whole match. */
  start: number;
  matchStart: number;
}
