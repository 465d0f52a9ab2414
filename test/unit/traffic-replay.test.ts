import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, expect, it } from 'vitest';
import type { Exchange, Traffic } from '../../src/model/index.ts';
import { replay } from '../../src/traffic/replay.ts';

interface Seen {
  method: string;
  url: string;
  headers: IncomingMessage['headers'];
  body: string;
}

let server: Server | undefined;
let seen: Seen[] = [];
let connections = 0;

afterEach(async () => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** An app that answers as `handle` says; returns its origin and counts what it sees. */
async function app(handle: (request: Seen, response: ServerResponse) => void): Promise<{ origin: string }> {
  seen = [];
  connections = 0;
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const one = { method: request.method!, url: request.url!, headers: request.headers, body };
    seen.push(one);
    handle(one, response);
  });
  server.on('connection', () => connections++);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Traffic of exchanges given in short: names are their indexes. */
function traffic(...exchanges: (Partial<Exchange> & { path: string })[]): Traffic {
  const whole = exchanges.map((e, index) => ({ name: `${index}`, method: 'GET', headers: {}, repeat: 1, ...e }));
  return { file: 'traffic.yaml', digest: '', exchanges: whole };
}

const text = (body: Uint8Array) => Buffer.from(body).toString();

it('sends what the file says and hands back what the app answered', async () => {
  const target = await app((_request, response) => response.writeHead(201, { 'X-Made': ['a', 'b'] }).end('made'));
  const [answer] = await replay(
    traffic({
      method: 'POST',
      path: '/todos?x=1',
      headers: { host: 'shop.example', accept: 'text/plain' },
      body: 'milk',
    }),
    target,
  );
  expect(seen[0]).toMatchObject({ method: 'POST', url: '/todos?x=1', body: 'milk' });
  expect(seen[0]!.headers).toMatchObject({ host: 'shop.example', accept: 'text/plain', 'content-length': '4' });
  expect(answer).toMatchObject({
    exchange: '0',
    iteration: 0,
    method: 'POST',
    path: '/todos?x=1',
    status: 201,
    unmet: [],
  });
  expect(answer!.headers['x-made']).toBe('a, b');
  expect(text(answer!.body)).toBe('made');
});

it('sends a body file byte for byte, without filling anything in', async () => {
  const target = await app((_request, response) => response.end());
  await replay(traffic({ method: 'PUT', path: '/', body: Buffer.from('{{id}}') }), target);
  expect(seen[0]!.body).toBe('{{id}}');
});

it('keeps one connection and the order of the file', async () => {
  const target = await app(({ url }, response) => response.end(url));
  const answers = await replay(traffic({ path: '/a', repeat: 3 }, { path: '/b', repeat: 2 }), target);
  expect(seen.map(({ url }) => url)).toEqual(['/a', '/a', '/a', '/b', '/b']);
  expect(answers.map(({ exchange, iteration }) => `${exchange}.${iteration}`)).toEqual([
    '0.0',
    '0.1',
    '0.2',
    '1.0',
    '1.1',
  ]);
  expect(connections).toBe(1);
});

it('sends repeats side by side when asked to, and sorts their answers', async () => {
  let waiting = 0;
  let most = 0;
  const target = await app((_request, response) => {
    most = Math.max(most, ++waiting);
    setTimeout(() => {
      waiting--;
      response.end();
    }, 20 * Math.random());
  });
  const answers = await replay(traffic({ path: '/', repeat: 40 }), target, { connections: 4 });
  expect(most).toBe(4);
  expect(connections).toBe(4);
  expect(answers.map(({ iteration }) => iteration)).toEqual(Array.from({ length: 40 }, (_, index) => index));
});

it('stops at the limit, in the middle of repeats', async () => {
  const target = await app((_request, response) => response.end());
  const answers = await replay(traffic({ path: '/a', repeat: 3 }, { path: '/b', repeat: 9 }, { path: '/c' }), target, {
    limit: 5,
  });
  expect(answers).toHaveLength(5);
  expect(seen).toHaveLength(5);
});

it('does not follow redirects', async () => {
  const target = await app((_request, response) => response.writeHead(302, { location: '/login' }).end());
  const answers = await replay(traffic({ path: '/' }), target);
  expect(answers[0]).toMatchObject({ status: 302, headers: { location: '/login' } });
  expect(seen).toHaveLength(1);
});

it('measures the whole answer in microseconds', async () => {
  const target = await app((_request, response) => {
    response.write('begin');
    setTimeout(() => response.end('end'), 60);
  });
  const [answer] = await replay(traffic({ path: '/' }), target);
  expect(answer!.micros).toBeGreaterThan(55_000);
  expect(answer!.micros).toBeLessThan(2_000_000);
});

it('hands over each answer as it arrives', async () => {
  const target = await app(({ url }, response) => response.end(url));
  const arrived: string[] = [];
  await replay(traffic({ path: '/a' }, { path: '/b' }), target, {
    onAnswer: ({ path }) => arrived.push(`${path} ${seen.length}`),
  });
  expect(arrived).toEqual(['/a 1', '/b 2']);
});

it('fills captures into path, headers, JSON and expectations', async () => {
  const target = await app(({ url }, response) => {
    if (url === '/first') {
      response.writeHead(200, { 'X-Token': 'a/b c' });
      response.end(JSON.stringify({ items: [{ 'the key': 'say "hi"\n' }], id: 7, csrf: 'form value="t0k3n"' }));
    } else response.end('7 t0k3n');
  });
  const answers = await replay(
    traffic(
      {
        path: '/first',
        capture: {
          id: '$.id',
          quote: "$.items[0]['the key']",
          token: 'header:x-token',
          csrf: 'regex:value=\\\\"(\\w+)',
        },
      },
      {
        method: 'POST',
        path: '/{{id}}?t={{token|url}}',
        headers: { 'x-csrf': '{{ csrf }}' },
        body: '{"q":"{{quote|json}}"}',
        expect: { bodyContains: ['{{id}} {{csrf}}'] },
      },
    ),
    target,
  );
  expect(seen[1]).toMatchObject({ url: '/7?t=a%2Fb%20c', body: '{"q":"say \\"hi\\"\\n"}' });
  expect(seen[1]!.headers['x-csrf']).toBe('t0k3n');
  expect(answers.flatMap(({ unmet }) => unmet)).toEqual([]);
  expect(answers[1]!.path).toBe('/7?t=a%2Fb%20c');
});

it('asks the app under test when an absolute URL was captured', async () => {
  const target = await app((_request, response) =>
    response.writeHead(201, { location: 'http://shop.example:5000/todos/1?x=2' }).end(),
  );
  await replay(traffic({ path: '/', capture: { made: 'header:Location' } }, { path: '{{made}}' }), target);
  expect(seen[1]!.url).toBe('/todos/1?x=2');
});

it('tells of a capture that finds nothing, and sends nothing in its place', async () => {
  const target = await app((_request, response) => response.end('{"id":null}'));
  const answers = await replay(traffic({ path: '/', capture: { id: '$.id' } }, { path: '/x{{id}}y' }), target);
  expect(answers[0]!.unmet).toEqual(['nothing to capture as {{id}} in the answer']);
  expect(seen[1]!.url).toBe('/xy');
});

it('says precisely what was expected and what came', async () => {
  const target = await app((_request, response) => {
    response.writeHead(500, { 'content-type': 'text/html' }).end(`<b>\n\tno\u0007</b>${'x'.repeat(300)}`);
  });
  const expectation = {
    status: 201,
    bodyContains: ['milk'],
    headers: { 'content-type': 'application/json', etag: '"' },
  };
  const [answer] = await replay(traffic({ path: '/', expect: expectation }), target);
  expect(answer!.unmet).toEqual([
    `status is 500, expected 201; its body begins: <b> no </b>${'x'.repeat(189)}…`,
    'body does not contain "milk"',
    'header content-type is "text/html", expected it to contain "application/json"',
    'header etag is missing, expected it to contain "\\""',
  ]);
});

it('compares expected headers without case', async () => {
  const target = await app((_request, response) =>
    response.writeHead(200, { 'content-type': 'Application/JSON' }).end(),
  );
  const [answer] = await replay(
    traffic({ path: '/', expect: { headers: { 'content-type': 'application/json' } } }),
    target,
  );
  expect(answer!.unmet).toEqual([]);
});

it.each([
  ['gzip', gzipSync('milk')],
  ['br', brotliCompressSync('milk')],
])('decodes %s, so that expectations see text', async (encoding, body) => {
  const target = await app((_request, response) => response.writeHead(200, { 'content-encoding': encoding }).end(body));
  const [answer] = await replay(traffic({ path: '/', expect: { bodyContains: ['milk'] } }), target);
  expect(answer!.unmet).toEqual([]);
});

it('tells of a body that is not what its encoding says', async () => {
  const target = await app((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('milk'));
  const [answer] = await replay(traffic({ path: '/' }), target);
  expect(answer!.unmet[0]).toMatch(/^body is not valid gzip: /);
  expect(text(answer!.body)).toBe('milk');
});

it('keeps the cookies of one replay, and starts the next without', async () => {
  const target = await app(({ url }, response) => {
    if (url === '/login')
      response.setHeader('set-cookie', ['session=a=b; Path=/; HttpOnly; Secure', 'area=x; Path=/admin']);
    if (url === '/logout') response.setHeader('set-cookie', 'session=; Path=/; Max-Age=0');
    response.end();
  });
  const paths = ['/', '/login', '/x', '/admin/y', '/administrator', '/logout', '/z'];
  await replay(traffic(...paths.map((path) => ({ path }))), target);
  expect(seen.map(({ headers }) => headers.cookie)).toEqual([
    undefined,
    undefined,
    'session=a=b',
    'area=x; session=a=b',
    'session=a=b',
    'session=a=b',
    undefined,
  ]);
  await replay(traffic({ path: '/again' }), target);
  expect(seen.at(-1)!.headers.cookie).toBeUndefined();
});

it('sends a cookie header of the file as it is', async () => {
  const target = await app((_request, response) => response.setHeader('set-cookie', 'a=1').end());
  await replay(traffic({ path: '/' }, { path: '/', headers: { cookie: 'mine=2' } }), target);
  expect(seen[1]!.headers.cookie).toBe('mine=2');
});

it('goes on after a connection that breaks', async () => {
  const target = await app(({ url }, response) => (url === '/bad' ? response.socket!.destroy() : response.end('ok')));
  const answers = await replay(traffic({ path: '/bad', capture: { id: '$.id' } }, { path: '/good' }), target);
  expect(answers.map(({ status }) => status)).toEqual([0, 200]);
  expect(answers[0]!.unmet).toEqual([expect.stringMatching(/^no answer: UND_ERR_SOCKET, other side closed/)]);
});

it('says when nobody listens', async () => {
  const target = await app(() => {});
  server!.close();
  const answers = await replay(traffic({ path: '/', repeat: 2 }), target);
  expect(answers).toHaveLength(2);
  expect(answers[0]!.unmet[0]).toMatch(/^no answer: ECONNREFUSED, connect ECONNREFUSED 127\.0\.0\.1:\d+$/);
});

it.each([
  ['headers', 'time-out after 80 ms'],
  [
    'body',
    'an answer of text/event-stream with status 200 began and did not end within 80 ms; leave endless answers out of the traffic',
  ],
])('gives up on an answer whose %s do not come in time', async (missing, why) => {
  const target = await app(({ url }, response) => {
    if (url === '/good') response.end('ok');
    else if (missing === 'body') response.setHeader('content-type', 'text/event-stream').write('begin');
  });
  const answers = await replay(traffic({ path: '/' }, { path: '/good' }), target, { timeoutMs: 80 });
  expect(answers[0]).toMatchObject({ status: 0, unmet: [`no answer: ${why}`] });
  expect(answers[1]!.status).toBe(200);
});

it('expects no error of the server, unless the file says so', async () => {
  const target = await app((_request, response) => response.writeHead(503).end('asleep'));
  const answers = await replay(traffic({ path: '/' }, { path: '/', expect: { status: 503 } }), target);
  expect(answers.map(({ unmet }) => unmet)).toEqual([
    ['status is 503, expected one below 500; its body begins: asleep'],
    [],
  ]);
});

it('says why a request could not be sent', async () => {
  const target = await app((_request, response) => response.end('{"id":"a b"}'));
  const answers = await replay(traffic({ path: '/', capture: { id: '$.id' } }, { path: '/{{id}}' }), target);
  expect(answers[1]!.unmet[0]).toContain('invalid request path');
});

it('ends at once, with the reason, when it is aborted', async () => {
  const target = await app(() => {});
  const abort = new AbortController();
  const promise = replay(traffic({ path: '/', repeat: 9 }), target, { signal: abort.signal, connections: 2 });
  setTimeout(() => abort.abort(new Error('interrupted')), 30);
  await expect(promise).rejects.toThrow('interrupted');
  expect(seen).toHaveLength(2);
  await expect(replay(traffic({ path: '/' }), target, { signal: abort.signal })).rejects.toThrow('interrupted');
  expect(seen).toHaveLength(2);
});
