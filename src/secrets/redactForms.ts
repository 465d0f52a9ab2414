import { textForms } from '../scan/forms.ts';

/** Shorter forms would match by chance; in characters. */
export const MIN_FORM = 4;

/**
 * All forms in which a value may stand in a line of text, the value itself among them: those that the scan searches for,
 * and what lines and reports have beside them, JSON within JSON and our own Markdown.
 */
export function formsOf(value: string): string[] {
  const texts = textForms(value);
  const json = texts.filter(({ decoders }) => decoders.length === 0 || decoders[0] === 'json');
  const forms = [
    ...texts.map(({ text }) => text),
    ...json.map(({ text }) => JSON.stringify(text).slice(1, -1)),
    value.replace(/[^\p{L}\p{N} ]/gu, (char) => `&#${char.codePointAt(0)};`),
  ];
  return [...new Set(forms)].filter((form) => form.length >= MIN_FORM);
}
