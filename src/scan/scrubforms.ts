import { byteForms, writtenForms } from './forms.ts';

/** A stored form of a value, and what overwrites it: the same form of a text that says nothing, of the same length. */
export interface ScrubForm {
  stored: Buffer;
  overwrite: Buffer;
}

/** What values are overwritten with. No rule takes a repeated character for a secret. */
const FILLER = 'x';

/** Every text that the value can stand as, in UTF-8 and in UTF-16LE. */
export function scrubForms(value: string): ScrubForm[] {
  const forms = new Map<string, ScrubForm>();
  const add = (text: string, overwrite: string): void => {
    for (const encoding of ['utf8', 'utf16le'] as const) {
      const stored = Buffer.from(text, encoding);
      // Beyond ASCII a character takes more bytes than the filler.
      const plain = overwrite.padEnd(encoding === 'utf8' ? stored.length : text.length, FILLER);
      const key = stored.toString('latin1');
      if (stored.length > 0 && !forms.has(key)) forms.set(key, { stored, overwrite: Buffer.from(plain, encoding) });
    }
  };
  for (const { text } of writtenForms(value)) add(text, FILLER.repeat(text.length));
  const bytes = [Buffer.from(value, 'utf8'), Buffer.from(value, 'utf16le')] as const;
  const fillers = byteForms(Buffer.alloc(bytes[0].length, FILLER), Buffer.alloc(bytes[1].length, FILLER));
  byteForms(...bytes).forEach(({ text }, index) => {
    add(text, fillers[index]!.text);
  });
  return [...forms.values()];
}
