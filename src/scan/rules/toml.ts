import { parse, TomlError } from 'smol-toml';
import { SnapshotError } from '../../errors.ts';

/** A TOML table with lower-case keys: gitleaks reads keys in any case. */
export type Table = Record<string, unknown>;

/** A place in a file of rules, for messages. */
export interface Origin {
  file: string;
  /** Line, beginning with 1, where it can be told. */
  line?: number;
  /** The rule that the place is in. */
  rule?: string;
  /** True for a file of this project: tests have tried its patterns, so that no scan has to. */
  isShipped?: boolean;
}

const FIX = 'Correct the file of rules at the place named; it has the format of gitleaks’ configuration.';

/** The error for a file of rules that says what can't be done. */
export function wrongRules({ file, line, rule }: Origin, cause: string): SnapshotError {
  const place = `${file}${line ? `, line ${line}` : ''}${rule === undefined ? '' : `, rule "${rule}"`}`;
  return new SnapshotError('DS1001', `${place}: ${cause}`, { fix: FIX });
}

/** Parses TOML. Throws DS1001 with the line where it is none. The message quotes nothing of the file. */
export function parseToml(text: string, file: string): Table {
  try {
    return lowerKeys(parse(text)) as Table;
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [cause = 'no valid TOML'] = error.message.replace(/^Invalid TOML document: /, '').split('\n');
    throw wrongRules({ file, line: error.line }, cause);
  }
}

function lowerKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerKeys);
  if (value === null || typeof value !== 'object' || Object.getPrototypeOf(value)?.constructor === Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toLowerCase(), lowerKeys(inner)]));
}

/** Lines of the headers `[[name]]` of a file, beginning with 1, in their order. */
export function headerLines(text: string, name: string): number[] {
  const header = new RegExp(`^\\s*\\[\\[\\s*"?${name.replaceAll('.', '"?\\s*\\.\\s*"?')}"?\\s*\\]\\]`, 'i');
  return text.split('\n').flatMap((line, index) => (header.test(line) ? [index + 1] : []));
}

/** Reads typed values from a table, as loosely as gitleaks does: a text for a list of one, a number as text. */
export class TableReader {
  readonly origin: Origin;
  private readonly table: Table;
  private readonly seen = new Set<string>();

  constructor(table: unknown, origin: Origin, what: string) {
    if (table === null || typeof table !== 'object' || Array.isArray(table))
      throw wrongRules(origin, `${what} is no table`);
    this.table = table as Table;
    this.origin = origin;
  }

  /** Throws DS1001 at this place. */
  fail(cause: string): never {
    throw wrongRules(this.origin, cause);
  }

  text(key: string): string | undefined {
    const value = this.value(key);
    if (value === undefined || typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'bigint') return String(value);
    return this.fail(`${key} must be a text`);
  }

  number(key: string): number | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    const number = typeof value === 'boolean' || value === '' ? Number.NaN : Number(value);
    return Number.isFinite(number) ? number : this.fail(`${key} must be a number`);
  }

  flag(key: string): boolean {
    const value = this.value(key);
    if (value === undefined) return false;
    return typeof value === 'boolean' ? value : this.fail(`${key} must be true or false`);
  }

  texts(key: string): string[] {
    const value = this.value(key);
    if (value === undefined) return [];
    // A single text is split at its commas, as gitleaks does.
    if (typeof value === 'string') return value === '' ? [] : value.split(',');
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    return this.fail(`${key} must be a list of texts`);
  }

  tables(key: string): unknown[] {
    const value = this.value(key);
    if (value === undefined) return [];
    return Array.isArray(value) ? value : [value];
  }

  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  /** Keys that nothing has asked for: misspelt, or from another version. */
  unread(): string[] {
    return Object.keys(this.table).filter((key) => !this.seen.has(key));
  }

  private value(key: string): unknown {
    this.seen.add(key.toLowerCase());
    return this.table[key.toLowerCase()];
  }
}
