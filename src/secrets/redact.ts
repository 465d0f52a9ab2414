import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { KnownSecret } from '../model/index.ts';
import { trivialReason } from '../scan/known/worth.ts';
import { formsOf, MIN_FORM } from './redactForms.ts';

/** What stands in place of a secret. */
const MASK = '***';

/** A value that the user named is masked from this length on, in characters, though nobody could search for it. */
const MIN_EXPLICIT = 4;

/** Tells of secrets in a text by rules; `start` is the index of the secret's first character. */
export type FindSecrets = (text: string, found: (match: { start: number; secret: string }) => void) => void;

/**
 * Takes secrets out of everything that is printed or written. It knows the values that the build knows, in every form
 * that they may have in text, and for what comes out of the app it applies the rules as well.
 */
export class Redactor {
  /** Forms by their first characters, the longest first. */
  readonly #forms = new Map<string, string[]>();
  readonly #values = new Set<string>();
  readonly #findSecrets: FindSecrets;

  /** `findSecrets` is called only for {@link details}. */
  constructor(findSecrets: FindSecrets = () => {}) {
    this.#findSecrets = findSecrets;
  }

  /** From here on these values are masked; those that say nothing (`true`, `password`) are left alone. */
  add(secrets: Iterable<KnownSecret>): void {
    for (const { value, explicit = false } of secrets) {
      // Logs come line by line.
      const lines = value.includes('\n') ? value.split(/\r?\n/).map((line) => line.trim()) : [];
      for (const text of [value, ...lines.filter((line) => !line.startsWith('-----'))]) this.#addValue(text, explicit);
    }
  }

  #addValue(value: string, explicit: boolean): void {
    if (this.#values.has(value) || !isWorthMasking(value, explicit)) return;
    this.#values.add(value);
    for (const form of formsOf(value)) {
      const head = form.slice(0, MIN_FORM);
      const forms = this.#forms.get(head) ?? [];
      forms.push(form);
      this.#forms.set(
        head,
        forms.sort((a, b) => b.length - a.length),
      );
    }
  }

  /** The text without known values. */
  text(text: string): string {
    return masked(text, this.#known(text));
  }

  /** The text without known values and without what the rules find: for what an app or a tool has written. */
  details(text: string): string {
    const spans = this.#known(text);
    try {
      this.#findSecrets(text, ({ start, secret }) => {
        if (text.startsWith(secret, start)) spans.push([start, start + secret.length]);
      });
    } catch {
      // Without rules nobody knows what is in it.
      return MASK;
    }
    return masked(text, spans);
  }

  /** A copy of plain data with every text in it redacted; names of members stay. */
  data<T>(value: T): T {
    if (typeof value === 'string') return this.text(value) as T;
    if (Array.isArray(value)) return value.map((item) => this.data(item)) as T;
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, this.data(member)])) as T;
  }

  /** The failure, fit to be shown. Its detail and its cause may hold what the app wrote. */
  error(error: SnapshotError): SnapshotError {
    const { code, message, fix, detail } = error;
    return new SnapshotError(code, this.details(message), {
      fix: this.text(fix),
      ...(detail !== undefined && { detail: this.details(detail) }),
    });
  }

  /** A log that hands on only redacted lines. */
  log(log: Log): Log {
    return {
      info: (message) => log.info(this.text(message)),
      warning: (message) => log.warning(this.text(message)),
      debug: (message) => log.debug(this.text(message)),
      group: (title, work) => log.group(this.text(title), work),
    };
  }

  /** Where known values are; also one that a cut at the end has left only the beginning of. */
  #known(text: string): [number, number][] {
    const spans: [number, number][] = [];
    if (this.#forms.size === 0) return spans;
    let cut = -1;
    for (let start = 0; start <= text.length - MIN_FORM; start++) {
      const forms = this.#forms.get(text.slice(start, start + MIN_FORM));
      const form = forms?.find((candidate) => text.startsWith(candidate, start));
      if (form !== undefined) spans.push([start, start + form.length]);
      else if (forms !== undefined) {
        if (cut < start) cut = cutAfter(text, start);
        // The longest form comes first.
        if (cut - start >= forms[0]!.length) continue;
        const rest = text.slice(start, cut);
        if (forms.some((candidate) => isBeginning(rest, candidate))) spans.push([start, cut]);
      }
    }
    return spans;
  }
}

function isWorthMasking(value: string, explicit: boolean): boolean {
  if (trivialReason(value, explicit) === undefined) return true;
  return explicit && value.length >= MIN_EXPLICIT && value.length < 8 && !/^(?:\d+|true|false|null|none)$/i.test(value);
}

/** Where the text is cut after `start`: at the next `…`, or at its end. */
function cutAfter(text: string, start: number): number {
  const at = text.indexOf('…', start);
  return at < 0 ? text.length : at;
}

/** True for as much of a form as says something of it. */
function isBeginning(rest: string, form: string): boolean {
  return rest.length >= Math.min(8, Math.ceil(form.length / 2)) && form.startsWith(rest);
}

function masked(text: string, spans: [number, number][]): string {
  if (spans.length === 0) return text;
  let result = '';
  let end = 0;
  for (const [from, to] of spans.sort((a, b) => a[0] - b[0])) {
    if (from >= end) result += text.slice(end, from) + MASK;
    end = Math.max(end, to);
  }
  return result + text.slice(end);
}
