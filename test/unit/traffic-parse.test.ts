import { mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotError } from '../../src/errors.ts';
import { parseTraffic } from '../../src/traffic/parse.ts';
import { trafficJsonSchema } from '../../src/traffic/schema.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'traffic-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function parse(content: string | Uint8Array) {
  const file = join(folder, 'traffic.yaml');
  await writeFile(file, content);
  return parseTraffic(file);
}

/** The error's lines, message first, with the folder left out. */
async function errorsOf(content: string | Uint8Array): Promise<string[]> {
  const error = await failureOf(parse(content));
  expect(error.code).toBe('DS1004');
  return [error.message, ...(error.detail?.split('\n') ?? [])].map((line) => line.replace(`${folder}/`, ''));
}

async function failureOf(promise: Promise<unknown>): Promise<SnapshotError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SnapshotError);
  return error as SnapshotError;
}

/** A file with one request; `fields` are further lines of it. */
const request = (...fields: string[]) =>
  ['version: 1', 'requests:', '  - path: /', ...fields.map((f) => `    ${f}`)].join('\n');

describe('what a traffic file says', () => {
  it('fills in defaults', async () => {
    const { exchanges } = await parse('version: 1\nrequests:\n  - path: /todos\n');
    expect(exchanges).toEqual([{ name: 'GET /todos', method: 'GET', path: '/todos', headers: {}, repeat: 1 }]);
  });

  it('reads every field', async () => {
    const { exchanges } = await parse(`
version: 1
requests:
  - name: add
    method: POST
    path: /todos
    headers: { Accept: application/json }
    json: { title: milk, tags: [1, null, true] }
    repeat: 50
    expect: { status: 201, bodyContains: milk, headers: { Content-Type: application/json } }
    capture: { id: $.id }
`);
    expect(exchanges).toEqual([
      {
        name: 'add',
        method: 'POST',
        path: '/todos',
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: '{"title":"milk","tags":[1,null,true]}',
        repeat: 50,
        expect: { status: 201, bodyContains: ['milk'], headers: { 'content-type': 'application/json' } },
        capture: { id: '$.id' },
      },
    ]);
  });

  it('keeps a content-type that is given beside json', async () => {
    const { exchanges } = await parse(request('headers: { Content-Type: application/ld+json }', 'json: {}'));
    expect(exchanges[0]!.headers).toEqual({ 'content-type': 'application/ld+json' });
  });

  it('makes default names unique, also beside explicit ones', async () => {
    const { exchanges } = await parse('version: 1\nrequests: [{path: /}, {path: /}, {path: /, name: GET / (2)}]');
    expect(exchanges.map(({ name }) => name)).toEqual(['GET /', 'GET / (3)', 'GET / (2)']);
  });

  it('reads a body file, and its content changes the digest', async () => {
    await mkdir(join(folder, 'bodies'));
    await writeFile(join(folder, 'bodies/a.bin'), Uint8Array.of(0, 255));
    const first = await parse(request('bodyFile: ./bodies/a.bin'));
    expect(first.exchanges[0]!.body).toEqual(Buffer.of(0, 255));
    expect(first.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect((await parse(request('bodyFile: ./bodies/a.bin'))).digest).toBe(first.digest);
    await writeFile(join(folder, 'bodies/a.bin'), Uint8Array.of(0, 254));
    expect((await parse(request('bodyFile: ./bodies/a.bin'))).digest).not.toBe(first.digest);
  });

  it('resolves aliases', async () => {
    const { exchanges } = await parse(
      'version: 1\nrequests: [{path: /a, headers: &h {x: y}}, {path: /b, headers: *h}]',
    );
    expect(exchanges[1]!.headers).toEqual({ x: 'y' });
  });

  it('reads a file that begins with a byte order mark and ends its lines with CR LF', async () => {
    const { exchanges } = await parse('\uFEFFversion: 1\r\nrequests:\r\n  - path: /\r\n    body: ä\r\n');
    expect(exchanges[0]!.body).toBe('ä');
  });

  it.each(['samples/todo-api/traffic.yaml', 'samples/worker/traffic.yaml'])('reads %s', async (file) => {
    expect((await parseTraffic(file)).exchanges.length).toBeGreaterThan(10);
  });
});

describe('what is wrong with one field', () => {
  it.each([
    ['repeat: many', '4:13: requests[0].repeat is "many"; expected a whole number of at least 1'],
    ['repeat: 0', '4:13: requests[0].repeat is 0; expected a whole number of at least 1'],
    ['repeat: 1.5', '4:13: requests[0].repeat is 1.5; expected a whole number of at least 1'],
    ['repeat: 100001', '4:13: requests[0].repeat is 100001; expected a whole number of at most 100000'],
    ['paht: /x', '4:5: requests[0].paht is not known; did you mean "path"?'],
    ['expect: { bodyContain: x }', '4:15: requests[0].expect.bodyContain is not known; did you mean "bodyContains"?'],
    [
      'expect: { size: 1 }',
      '4:15: requests[0].expect.size is not known; expected one of status, bodyContains, headers',
    ],
    ['expect: { status: 1000 }', '4:23: requests[0].expect.status is 1000; expected an HTTP status from 100 to 599'],
    ['method: get', '4:13: requests[0].method is "get"; expected an HTTP method in upper case, such as GET'],
    ['headers: { x: 1 }', '4:19: requests[0].headers.x is 1; expected text; put a number in quotes'],
    ['headers: { "x y": z }', '4:16: requests[0].headers["x y"] has a wrong name; expected a header name'],
    ['headers: { x: "a\\r\\nb" }', '4:19: requests[0].headers.x is "a\\r\\nb"; expected text on one line'],
    ['headers: { Accept: a, accept: b }', '4:27: requests[0].headers.accept is given twice; expected each header once'],
    [
      'json: { "{{id}}": 1 }',
      '4:13: requests[0].json["{{id}}"] uses {{id}}, which no earlier request captures; expected a name that an earlier request captures',
    ],
    ['json: .nan', '4:11: requests[0].json is NaN; expected a value that JSON can hold'],
    ['json: &a [*a]', '4:14: requests[0].json is a list; expected a value that JSON can hold'],
    [
      'json: 9007199254740993',
      '4:11: 9007199254740993 has more digits than a number holds; put it in quotes, or write the JSON under body',
    ],
    ['json: { __proto__: { admin: true } }', '4:13: the key __proto__ is not allowed'],
    [
      'capture: { id: id }',
      '4:20: requests[0].capture.id is "id"; expected $.json.path, header:Name or regex:pattern with one (group)',
    ],
    ['capture: { id: $.a..b }', '4:20: requests[0].capture.id is "$.a..b"; expected .name, [0] or [\'name\'] at "..b"'],
    [
      'capture: { id: "regex:(a)(b)" }',
      '4:20: requests[0].capture.id is "regex:(a)(b)"; expected exactly one (group) in the pattern, which has 2',
    ],
    ['bodyFile: nope.bin', '4:15: requests[0].bodyFile is "nope.bin": no such file'],
    [
      'bodyFile: ../etc/passwd',
      '4:15: requests[0].bodyFile is "../etc/passwd": lies outside the folder of the traffic file',
    ],
    [
      'bodyFile: /etc/passwd',
      '4:15: requests[0].bodyFile is "/etc/passwd": lies outside the folder of the traffic file',
    ],
  ])('%s', async (field, expected) => {
    expect(await errorsOf(request(field))).toEqual([`traffic.yaml:${expected}`]);
  });

  it('says that there is more than one body', async () => {
    const errors = await errorsOf(request('json: 1', 'body: x'));
    expect(errors).toEqual([
      'traffic.yaml:3:5: requests[0] has json and body; expected at most one of json, body, bodyFile',
    ]);
  });

  it.each(['todos', '/to dos', '/käse', '/a#b'])('refuses the path %s', async (path) => {
    const [error] = await errorsOf(`version: 1\nrequests:\n  - path: ${path}`);
    expect(error).toContain(`traffic.yaml:3:11: requests[0].path is "${path}"; expected a path that begins with /`);
  });

  it('refuses a body file that is a link to somewhere outside', async () => {
    await symlink('/etc/hostname', join(folder, 'link'));
    expect((await errorsOf(request('bodyFile: link')))[0]).toContain('lies outside the folder of the traffic file');
  });

  it('refuses the name of an earlier request', async () => {
    const errors = await errorsOf('version: 1\nrequests:\n  - {path: /a, name: x}\n  - {path: /b, name: x}');
    expect(errors).toEqual(['traffic.yaml:4:22: requests[1].name is "x", as is requests[0].name; expected another']);
  });
});

describe('captures', () => {
  const uses = (use: string) => `version: 1
requests:
  - path: /a
    capture: { id: $.id }
  - path: /b
    ${use}`;

  it.each([
    'headers: { x: "{{id}}" }',
    'body: "{{ id | url }}"',
    'json: [{ deep: "{{id}}" }]',
    'expect: { bodyContains: ["{{id}}"], headers: { x: "{{id}}" } }',
  ])('may be used in %s', async (use) => {
    expect((await parse(uses(use))).exchanges).toHaveLength(2);
  });

  it('are not known to the request that takes them', async () => {
    const [error] = await errorsOf('version: 1\nrequests:\n  - path: /{{id}}\n    capture: { id: $.id }');
    expect(error).toBe(
      'traffic.yaml:3:11: requests[0].path uses {{id}}, which no earlier request captures; expected a name that an earlier request captures',
    );
  });

  it('suggest the name that was meant', async () => {
    const [error] = await errorsOf(uses('expect: { bodyContains: [a, "{{ids}}"] }'));
    expect(error).toContain('6:33: requests[1].expect.bodyContains[1] uses {{ids}}');
    expect(error).toContain('did you mean "id"?');
  });

  it('have only the filters there are', async () => {
    const [error] = await errorsOf(uses('body: "{{id|html}}"'));
    expect(error).toContain('uses {{id|html}}; expected one of the filters url, json');
  });

  it('need quotes where YAML would read a map', async () => {
    const errors = await errorsOf(uses('json: { id: {{id}} }'));
    expect(errors).toEqual(['traffic.yaml:6:18: expected a text as key; put text with {{…}} in quotes']);
    expect((await errorsOf(uses('headers: { x: Bearer {{id}} }')))[0]).toContain('put text with {{…}} in quotes');
  });

  it('leave alone double braces that are no capture', async () => {
    const { exchanges } = await parse(request('body: "{{#each items}} {{1}} {{}}"'));
    expect(exchanges[0]!.body).toBe('{{#each items}} {{1}} {{}}');
  });
});

describe('what is wrong with the file', () => {
  it('tells all of it at once, in the order of the file', async () => {
    const errors = await errorsOf(`version: 1
requests:
  - nme: a
    repeat: x
    capture: { id: $.id }
  - path: /{{idd}}
    bodyFile: nope
`);
    expect(errors.map((line) => line.replace('traffic.yaml:', '').split(';')[0])).toEqual([
      '3:5: requests[0].path is missing',
      '3:5: requests[0].nme is not known',
      '4:13: requests[0].repeat is "x"',
      '6:11: requests[1].path uses {{idd}}, which no earlier request captures',
      '7:15: requests[1].bodyFile is "nope": no such file',
    ]);
  });

  it.each([
    ['version: 2\nrequests: []\nmore: 1', '1:10: version is 2; expected 1, the only version there is'],
    ['requests: [{path: /}]', '1:1: version is missing; expected 1, the only version there is'],
    ['- path: /', '1:1: the file is a list; expected a map of version and requests'],
    ['version: 1\nrequests: none', '2:11: requests is "none"; expected a list of requests'],
    ['version: 1\nrequests:\n  - /todos', '3:5: requests[0] is "/todos"; expected a map with at least a path'],
    [
      'version: 1\nrequests: [\n',
      '3:1: not valid YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
    ['version: 1\nversion: 1\n', '2:1: not valid YAML: Map keys must be unique'],
    ['version: 1\nrequests: !!js/function x', '2:11: not valid YAML: Unresolved tag: tag:yaml.org,2002:js/function'],
    [
      'version: 1\nrequests: *later',
      '2:11: not valid YAML: Unresolved alias (the anchor must be set before the alias): later',
    ],
    ['version: 1\n---\nversion: 1', '2:1: not valid YAML: Source contains multiple documents'],
  ])('%j', async (content, expected) => {
    expect((await errorsOf(content))[0]).toContain(`traffic.yaml:${expected}`);
  });

  it('refuses aliases that multiply', async () => {
    const levels = Array.from({ length: 9 }, (_, i) => `x${i + 1}: &x${i + 1} [${`*x${i},`.repeat(9)}]`);
    const [error] = await errorsOf(['x0: &x0 [a]', ...levels].join('\n'));
    expect(error).toContain('not valid YAML: Excessive alias count');
  });

  it('survives nesting without end', async () => {
    expect((await errorsOf(`version: ${'['.repeat(200_000)}`)).length).toBeLessThan(100);
  });

  it('names the place of a byte that is not UTF-8', async () => {
    expect(await errorsOf(Buffer.concat([Buffer.from('version: 1\n# k'), Buffer.of(0xe4, 0x73)]))).toEqual([
      'traffic.yaml:2:4: not valid UTF-8; expected UTF-8',
    ]);
  });

  it('recognises UTF-16', async () => {
    expect((await errorsOf(Buffer.from('\uFEFFversion: 1', 'utf16le')))[0]).toContain('the file is UTF-16');
  });

  it('refuses a file of more than 10 MB', async () => {
    const file = join(folder, 'traffic.yaml');
    await writeFile(file, '');
    await truncate(file, 10 * 1024 * 1024 + 1);
    expect((await failureOf(parseTraffic(file))).message).toBe(`${file}: is larger than 10 MB`);
  });

  it('says that there is no such file, or that it is a folder', async () => {
    expect((await failureOf(parseTraffic(join(folder, 'nope')))).format()).toContain(
      `DS1004: ${folder}/nope: no such file`,
    );
    expect((await failureOf(parseTraffic(folder))).message).toBe(`${folder}: is a folder; expected a file`);
  });

  it.each(['', '# nothing\n', 'version: 1', 'version: 1\nrequests:', 'version: 1\nrequests: []'])(
    'is DS1005 where there are no requests: %j',
    async (content) => {
      expect((await failureOf(parse(content))).code).toBe('DS1005');
    },
  );
});

it('schema/traffic.schema.json is what the code enforces', async () => {
  // Written by: node -e "import('./src/traffic/schema.ts').then(s => fs.writeFileSync('schema/traffic.schema.json',
  // JSON.stringify(s.trafficJsonSchema(), null, 2)))" && npx biome format --write schema
  expect(JSON.parse(await readFile('schema/traffic.schema.json', 'utf8'))).toEqual(trafficJsonSchema());
});
