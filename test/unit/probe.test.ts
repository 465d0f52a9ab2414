import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer as createHttp } from 'node:http';
import {
  createServer as createHttp2,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
} from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { describeMet, type Met, probeAny, refusesHost } from '../../src/engine/probe.ts';
import { freePort, untilAnswers } from '../../src/engine/readiness.ts';
import type { Exchange } from '../../src/model/index.ts';
import { replay } from '../../src/traffic/replay.ts';
import { newFolder } from '../harness/folder.ts';

type Handler = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

let tls: { key: Buffer; cert: Buffer };
let server: Server | undefined;
const open = new Set<{ destroy(): void }>();

beforeAll(() => {
  const folder = newFolder();
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const files = ['-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...curve, '-nodes', ...files, '-subj', '/CN=somebody.example'], {
    stdio: 'ignore',
  });
  tls = { key: readFileSync(key), cert: readFileSync(cert) };
});
afterEach(() => {
  server?.close();
  for (const socket of open) socket.destroy();
  open.clear();
});

async function listen(made: Server): Promise<number> {
  server = made;
  made.on('connection', (socket) => open.add(socket));
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  return (made.address() as AddressInfo).port;
}

const MAKERS: [string, string, (handler: Handler) => Server][] = [
  ['HTTP/1.1', 'http', (handler) => createHttp(handler as never)],
  ['HTTP/2 alone, in the clear', 'h2c', (handler) => createHttp2(handler)],
  ['HTTP/1.1 by TLS', 'https', (handler) => createHttps(tls, handler as never)],
  ['HTTP/2 alone, by TLS', 'https', (handler) => createSecureServer(tls, handler)],
];

/** As ASP.NET Core's host filter answers. */
const REFUSED = `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN""http://www.w3.org/TR/html4/strict.dtd">\r
<HTML><HEAD><TITLE>Bad Request</TITLE>\r
<META HTTP-EQUIV="Content-Type" Content="text/html; charset=us-ascii"></ HEAD >\r
<BODY><h2>Bad Request - Invalid Hostname</h2>\r
<hr><p>HTTP Error 400. The request hostname is invalid.</p>\r
</BODY></HTML>`;

const asked = { path: '/events', host: 'shop.example' };

test.each(MAKERS)(
  'an app that speaks %s is understood, also where its answer never ends',
  async (_, protocol, make) => {
    const port = await listen(make((_request, response) => void response.writeHead(200).write('data: 1\n\n')));
    const { met, protocol: spoken } = await probeAny(port, undefined, asked, 5000);
    expect(met).toMatchObject({ status: 200 });
    expect(spoken).toBe(protocol);
  },
);

test.each(MAKERS)('traffic is replayed by %s, to the Host that is named', async (_, protocol, make) => {
  const port = await listen(
    make((request, response) => void response.end(request.authority || (request.headers.host ?? ''))),
  );
  const exchange: Exchange = { name: 'get', method: 'GET', path: '/', headers: {}, repeat: 2 };
  const traffic = { file: 't', digest: '', exchanges: [exchange, { ...exchange, headers: { host: 'other.example' } }] };
  const answers = await replay(traffic, { origin: `${protocol}://127.0.0.1:${port}`, host: 'shop.example' });
  expect(answers.map(({ body }) => Buffer.from(body).toString())).toEqual([
    ...['shop.example', 'shop.example', 'other.example', 'other.example'],
  ]);
});

test('what a probe met is told', async () => {
  const tell = async (port: number) => describeMet((await probeAny(port, undefined, asked, 500)).met);
  expect(await tell(await freePort())).toContain('nothing accepts connections');
  expect(await tell(await listen(createTcp((socket) => socket.end())))).toContain('closed without an answer');
  expect(await tell(await listen(createTcp(() => {})))).toContain('no answer within 500 ms');
  const answering = (status: number, headers: Record<string, string>, body: string) =>
    listen(createHttp((_request, response) => response.writeHead(status, headers).end(body)));
  expect(await tell(await answering(503, {}, 'the database\nis asleep'))).toBe(
    'the last answer had status 503: the database is asleep',
  );
  expect(await tell(await answering(307, { location: 'https://shop.example/' }, ''))).toBe(
    'the last answer had status 307 to https://shop.example/',
  );
  expect(await tell(await answering(400, {}, REFUSED))).toBe(
    'the last answer had status 400: Bad Request - Invalid Hostname HTTP Error 400. The request hostname is invalid.',
  );
  expect(await tell(await answering(500, {}, 'x'.repeat(5000)))).toMatch(/status 500: x{200}…$/);
});

test('a Host that is refused is asked by another, which all that follows uses', async () => {
  const port = await listen(
    createHttp(({ headers }, response) => {
      if (headers.host === 'shop.example') response.end('ok');
      else response.writeHead(400).end(REFUSED);
    }),
  );
  const seen: Met[] = [];
  const ready = await untilAnswers(
    { port, path: '/', host: 'localhost' },
    {
      deadline: Date.now() + 5000,
      onMet: async (met) => {
        seen.push(met);
        return refusesHost(met) ? { host: 'shop.example' } : undefined;
      },
    },
  );
  expect(ready).toMatchObject({ readyAt: expect.any(Number), host: 'shop.example', protocol: 'http' });
  expect(seen).toHaveLength(1);
});
