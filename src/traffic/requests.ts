import type { Exchange } from '../model/index.ts';
import { didYouMean, showPath } from '../problemText.ts';
import type { Problem, YamlSource } from '../yamlSource.ts';
import { readBodyFile } from './files.ts';
import { jsonOf, requestSchema, type TrafficRequest } from './schema.ts';
import { escapeInJson, FILTER_NAMES, placeholdersIn } from './template.ts';

type Path = (string | number)[];
type Part = 'key' | 'value';
type Fields = Record<string, unknown>;

const BODY_FIELDS = ['json', 'body', 'bodyFile'];

/** Checks what the schema can't see, and makes exchanges of the requests that the schema finds well. */
export class RequestReader {
  readonly problems: Problem[] = [];
  /** Content of each body file, by the name given. */
  readonly bodyFiles = new Map<string, Uint8Array>();
  readonly #captured = new Set<string>();
  readonly #names = new Map<string, number>();
  readonly #file: string;
  readonly #source: YamlSource;

  constructor(file: string, source: YamlSource) {
    this.#file = file;
    this.#source = source;
  }

  /** The exchanges; where `problems` holds any afterwards, they are not complete. Call it once. */
  async read(requests: unknown[]): Promise<Exchange[]> {
    for (const [index, request] of requests.entries()) this.#takeName(['requests', index], fieldsOf(request));
    const exchanges: Exchange[] = [];
    for (const [index, request] of requests.entries()) {
      await this.#check(['requests', index], fieldsOf(request));
      const { data } = requestSchema.safeParse(request);
      if (data) exchanges.push(this.#exchangeOf(data));
    }
    return exchanges;
  }

  #takeName(path: Path, { name }: Fields): void {
    if (typeof name !== 'string') return;
    const first = this.#names.get(name);
    if (first === undefined) this.#names.set(name, Number(path[1]));
    else this.#report([...path, 'name'], `is ${JSON.stringify(name)}, as is requests[${first}].name; expected another`);
  }

  /** Works on what the file says, well or not, so that one wrong field does not hide another. */
  async #check(path: Path, request: Fields): Promise<void> {
    const expect = fieldsOf(request.expect);
    this.#checkHeaders([...path, 'headers'], request.headers);
    this.#checkHeaders([...path, 'expect', 'headers'], expect.headers);
    for (const field of ['path', 'headers', 'json', 'body']) this.#checkPlaceholders([...path, field], request[field]);
    for (const field of ['bodyContains', 'headers']) {
      this.#checkPlaceholders([...path, 'expect', field], expect[field]);
    }
    const bodies = BODY_FIELDS.filter((field) => Object.hasOwn(request, field));
    if (bodies.length > 1) {
      this.#report(path, `has ${bodies.join(' and ')}; expected at most one of ${BODY_FIELDS.join(', ')}`);
    }
    if (typeof request.bodyFile === 'string') await this.#readBodyFile([...path, 'bodyFile'], request.bodyFile);
    for (const name of Object.keys(fieldsOf(request.capture))) this.#captured.add(name);
  }

  #checkHeaders(path: Path, headers: unknown): void {
    const seen = new Set<string>();
    for (const name of Object.keys(fieldsOf(headers))) {
      const lower = name.toLowerCase();
      if (seen.has(lower)) this.#report([...path, name], 'is given twice; expected each header once', 'key');
      seen.add(lower);
    }
  }

  #checkPlaceholders(path: Path, value: unknown): void {
    // The schema tells of a value that contains itself.
    if (jsonOf(value) === undefined) return;
    for (const { at, part, text } of textsIn(value, path)) {
      for (const { name, filter } of placeholdersIn(text)) {
        if (!this.#captured.has(name)) {
          const hint = didYouMean(name, [...this.#captured]) ?? 'expected a name that an earlier request captures';
          this.#report(at, `uses {{${name}}}, which no earlier request captures; ${hint}`, part);
        } else if (filter !== undefined && !FILTER_NAMES.includes(filter)) {
          this.#report(at, `uses {{${name}|${filter}}}; expected one of the filters ${FILTER_NAMES.join(', ')}`, part);
        }
      }
    }
  }

  async #readBodyFile(path: Path, name: string): Promise<void> {
    try {
      if (!this.bodyFiles.has(name)) this.bodyFiles.set(name, await readBodyFile(this.#file, name));
    } catch (error) {
      this.#report(path, `is ${JSON.stringify(name)}: ${(error as Error).message}`);
    }
  }

  #exchangeOf({
    name,
    method,
    path,
    headers,
    json,
    body,
    bodyFile,
    repeat,
    expect,
    capture,
  }: TrafficRequest): Exchange {
    const jsonBody = json === undefined ? undefined : escapeInJson(jsonOf(json)!);
    const content = jsonBody ?? body ?? (bodyFile === undefined ? undefined : this.bodyFiles.get(bodyFile));
    const { status, bodyContains, headers: expectedHeaders } = expect ?? {};
    return {
      name: name ?? this.#freeName(`${method} ${path}`),
      method,
      path,
      headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...withLowerKeys(headers) },
      ...(content !== undefined && { body: content }),
      repeat,
      ...(expect && {
        expect: {
          ...(status !== undefined && { status }),
          ...(bodyContains !== undefined && { bodyContains: [bodyContains].flat() }),
          ...(expectedHeaders && { headers: withLowerKeys(expectedHeaders) }),
        },
      }),
      ...(capture && { capture }),
    };
  }

  #freeName(base: string): string {
    let name = base;
    for (let count = 2; this.#names.has(name); count++) name = `${base} (${count})`;
    this.#names.set(name, -1);
    return name;
  }

  #report(path: Path, text: string, part: Part = 'value'): void {
    this.problems.push({ offset: this.#source.offsetOf(path, part), text: `${showPath(path)} ${text}` });
  }
}

/** All texts inside a value, keys included, each with its place. */
function textsIn(value: unknown, at: Path): { at: Path; part: Part; text: string }[] {
  if (typeof value === 'string') return [{ at, part: 'value', text: value }];
  if (Array.isArray(value)) return value.flatMap((item, index) => textsIn(item, [...at, index]));
  return Object.entries(fieldsOf(value)).flatMap(([key, member]) => {
    const place = [...at, key];
    return [{ at: place, part: 'key' as const, text: key }, ...textsIn(member, place)];
  });
}

function withLowerKeys(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}
