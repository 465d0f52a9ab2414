import type { KnownSecret } from '../../model/findings.ts';
import { type TextForm, textForms } from '../forms.ts';

/** A text that stands for a known value, and the decoders that come behind the text's own encoding, outermost first. */
export interface Literal extends TextForm {
  /** Index of the known value. */
  secret: number;
}

/** Characters of a value, encoded, that are compared. Longer ones are certain by then, and windows stay small. */
const MAX_LENGTH = 16 * 1024;

/** All texts that a known value can stand in memory as, each once. */
export function literalsOf({ value }: KnownSecret, secret: number): Literal[] {
  const literals = new Map<string, Literal>();
  for (const { text, decoders } of textForms(value)) {
    // Half a surrogate pair would be another character.
    const start = text.length > MAX_LENGTH ? text.slice(0, MAX_LENGTH).replace(/[\ud800-\udbff]$/, '') : text;
    if (!literals.has(start)) literals.set(start, { text: start, secret, decoders });
  }
  return [...literals.values()];
}
