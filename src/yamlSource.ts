import type { Document } from 'yaml';
import { isCollection, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { type ErrorCode, SnapshotError } from './errors.ts';

/** Something wrong at a place in a file. */
export interface Problem {
  /** Characters from the beginning of the text. */
  offset: number;
  /** What is wrong and what is expected, one line. */
  text: string;
}

const MAX_SHOWN = 50;

/** The text of a YAML file, what it says, and where it says it. The text is not trusted. */
export class YamlSource {
  /** The file's value as plain data; undefined where `problems` keep it from being read. */
  readonly value: unknown;
  /** What is wrong with the YAML itself. */
  readonly problems: Problem[];
  readonly #lines = new LineCounter();
  readonly #document: Document.Parsed;
  readonly #file: string;
  readonly #code: ErrorCode;

  /** Reads `text`; `file` is shown in messages, `code` is that of failures. Throws nothing: see `problems`. */
  constructor(file: string, text: string, code: ErrorCode) {
    this.#file = file;
    this.#code = code;
    // The schema is fixed, so that neither a %YAML directive nor a tag chooses another.
    this.#document = parseDocument(text, {
      schema: 'core',
      resolveKnownTags: false,
      lineCounter: this.#lines,
      prettyErrors: false,
      logLevel: 'error',
    });
    const { errors, warnings } = this.#document;
    this.problems = [...errors, ...warnings].map(({ message, pos: [offset] }) => ({
      offset,
      text: `not valid YAML: ${message}${this.#hint(text, offset)}`,
    }));
    if (this.problems.length > 0) return;
    this.problems.push(...unsafeParts(this.#document));
    try {
      this.value = this.#document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      this.problems.push({ offset: firstAlias(this.#document), text: `not valid YAML: ${(error as Error).message}` });
    }
  }

  /** Offset of the value at `path`, or of its key; where there is none, of the nearest thing around it. */
  offsetOf(path: readonly PropertyKey[], part: 'key' | 'value' = 'value'): number {
    let node: unknown = this.#document.contents;
    let offset = startOf(node);
    for (const [index, step] of path.entries()) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
        if (!pair) break;
        offset = startOf(pair.key);
        node = pair.value;
        if (part === 'key' && index === path.length - 1) break;
      } else if (isSeq(node)) {
        node = node.items[Number(step)];
      } else break;
      offset = startOf(node, offset);
    }
    return offset;
  }

  /** All problems as one error: the first as its message, the rest as its detail, in the order of the file. */
  failure(problems: Problem[]): SnapshotError {
    const sorted = problems.toSorted((a, b) => a.offset - b.offset);
    const lines = sorted.slice(0, MAX_SHOWN).map(({ offset, text }) => `${this.#place(offset)}: ${text}`);
    if (sorted.length > MAX_SHOWN) lines.push(`and ${sorted.length - MAX_SHOWN} more`);
    const [first, ...rest] = lines;
    return new SnapshotError(this.#code, first!, rest.length > 0 ? { detail: rest.join('\n') } : {});
  }

  #place(offset: number): string {
    const { line, col } = this.#lines.linePos(offset);
    return `${this.#file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
  }

  #hint(text: string, offset: number): string {
    const start = text.lastIndexOf('\n', offset - 1) + 1;
    const end = text.indexOf('\n', offset);
    const line = text.slice(start, end < 0 ? undefined : end);
    return line.includes('{{') ? '; put text with {{…}} in quotes' : '';
  }
}

function startOf(node: unknown, otherwise = 0): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? otherwise;
}

function firstAlias(document: Document.Parsed): number {
  let offset = 0;
  visit(document, {
    Alias(_key, alias) {
      offset = startOf(alias);
      return alias.resolve(document) === undefined ? visit.BREAK : undefined;
    },
  });
  return offset;
}

/** What is valid YAML but would not be sent as it is written. */
function unsafeParts(document: Document.Parsed): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Pair(_key, { key }) {
      if (isCollection(key))
        problems.push({ offset: startOf(key), text: 'expected a text as key; put text with {{…}} in quotes' });
      if (isScalar(key) && key.value === '__proto__') {
        problems.push({ offset: startOf(key), text: 'the key __proto__ is not allowed' });
      }
    },
    Scalar(_key, { value, source, range }) {
      if (typeof value === 'number' && /^[-+]?\d+$/.test(source ?? '') && !Number.isSafeInteger(value)) {
        problems.push({
          offset: range?.[0] ?? 0,
          text: `${source} has more digits than a number holds; put it in quotes, or write the JSON under body`,
        });
      }
    },
  });
  return problems;
}
