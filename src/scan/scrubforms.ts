/** A stored form of a value, and what overwrites it: the same form of a text that says nothing, of the same length. */
export interface ScrubForm {
  stored: Buffer;
  overwrite: Buffer;
}

/** What values are overwritten with. No rule takes a repeated character for a secret. */
const FILLER = 'x';

/** `%XX` of what a form of a page leaves readable, or does not. */
const UNRESERVED = { component: /[A-Za-z0-9_.!~*'()-]/, form: /[A-Za-z0-9_.*-]/, strict: /[A-Za-z0-9_.~-]/ };

/**
 * The forms in which memory holds a value: UTF-8 and UTF-16LE of the text as it is, in URLs, in JSON, in hex, and in
 * base64 at each of its three shifts, without the characters that its neighbours decide, too.
 */
export function scrubForms(value: string): ScrubForm[] {
  const forms = new Map<string, ScrubForm>();
  const add = (text: string, overwrite: string): void => {
    for (const encoding of ['utf8', 'utf16le'] as const) {
      const stored = Buffer.from(text, encoding);
      // Beyond ASCII a character takes more bytes than the filler.
      const plain = overwrite.padEnd(encoding === 'utf8' ? stored.length : text.length, FILLER);
      forms.set(stored.toString('hex'), { stored, overwrite: Buffer.from(plain, encoding) });
    }
  };
  for (const text of writtenForms(value)) add(text, FILLER.repeat(text.length));
  for (const bytes of [Buffer.from(value, 'utf8'), Buffer.from(value, 'utf16le')]) {
    const filler = Buffer.alloc(bytes.length, FILLER);
    const [hex, other] = [bytes.toString('hex'), filler.toString('hex')];
    add(hex, other);
    add(hex.toUpperCase(), other.toUpperCase());
    for (const alphabet of ['base64', 'base64url'] as const)
      for (const shift of [0, 1, 2]) add(base64Core(bytes, shift, alphabet), base64Core(filler, shift, alphabet));
  }
  return [...forms.values()];
}

/** The value as it is, URL-encoded as browsers, forms and .NET do it, and escaped in JSON as little and as much as encoders do. */
function writtenForms(value: string): Set<string> {
  const forms = new Set([value]);
  for (const kept of Object.values(UNRESERVED)) {
    const encoded = percentEncoded(value, kept);
    const lower = encoded.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
    for (const form of [encoded, lower]) forms.add(form).add(form.replaceAll('%20', '+'));
  }
  const minimal = JSON.stringify(value).slice(1, -1);
  for (const escaped of [/["&'+<>`\u007f-\uffff]/g, /["]/g, /[&'<>`]/g, /[\u007f-\uffff]/g])
    for (const digits of [upperHex, lowerHex])
      forms.add(minimal.replaceAll('\\"', '"').replaceAll(escaped, (letter) => `\\u${digits(letter)}`));
  forms.add(minimal).add(minimal.replaceAll('/', '\\/'));
  return forms;
}

function percentEncoded(value: string, kept: RegExp): string {
  return [...Buffer.from(value, 'utf8')]
    .map((byte) => {
      const letter = String.fromCharCode(byte);
      return kept.test(letter) ? letter : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

function lowerHex(letter: string): string {
  return letter.charCodeAt(0).toString(16).padStart(4, '0');
}

function upperHex(letter: string): string {
  return lowerHex(letter).toUpperCase();
}

/** The characters of base64 that these bytes alone decide, behind `shift` others. */
function base64Core(bytes: Buffer, shift: number, alphabet: 'base64' | 'base64url'): string {
  const first = Math.ceil((shift * 8) / 6);
  const end = Math.floor(((shift + bytes.length) * 8) / 6);
  return Buffer.concat([Buffer.alloc(shift), bytes])
    .toString(alphabet)
    .slice(first, end);
}
