import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { cli, docker } from '../harness/cli.ts';
import { type Clone, Clones } from '../harness/clone.ts';
import { newFolder } from '../harness/folder.ts';

// What an app speaks beside plain HTTP, alive after a restore, with either garbage collector.
const project = 'test/integration/apps/protocols';
const clones = new Clones();
afterEach(() => clones.remove());

/** Where the app's exporter sends its spans. */
let collector: Server;
let collectorUrl: string;
const exported: Buffer[] = [];
beforeAll(async () => {
  collector = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    if (request.url === '/v1/traces' && request.headers['content-type'] === 'application/x-protobuf')
      exported.push(body);
    response.end();
  });
  const gateway = await docker(['network', 'inspect', 'bridge', '--format', '{{(index .IPAM.Config 0).Gateway}}']);
  await once(collector.listen(0, gateway.stdout.trim()), 'listening');
  const { address, port } = collector.address() as AddressInfo;
  collectorUrl = `http://${address}:${port}/v1/traces`;
});
afterAll(() => collector.close());

const hostOf = ({ origin }: Clone) => new URL(origin).hostname;

/** Sends texts over one WebSocket; resolves to what came back, as many as were sent. */
async function exchange(url: string, texts: string[]): Promise<string[]> {
  const socket = new WebSocket(url);
  const answers: string[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.onerror = () => reject(new Error(`${url} failed`));
    socket.onclose = () => reject(new Error(`${url} was closed after ${answers.length} answers`));
    socket.onopen = () => socket.send(texts[0]!);
    socket.onmessage = ({ data }) => {
      answers.push(String(data));
      if (answers.length === texts.length) resolve();
      else socket.send(texts[answers.length]!);
    };
  });
  socket.close();
  return answers;
}

/** A unary call as gRPC makes it, over HTTP/2 without TLS: the answer's message, and the status of its trailers. */
async function call(clone: Clone, text: string): Promise<{ type: unknown; message: string; status: unknown }> {
  const session = connectHttp2(`http://${hostOf(clone)}:8081`);
  // The stream fails, too, and that is awaited.
  session.on('error', () => {});
  const headers = { ':method': 'POST', ':path': '/echo.Echo/Say', 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request(headers);
  let [type, status]: unknown[] = [];
  stream.on('response', (answer) => {
    type = answer['content-type'];
  });
  stream.on('trailers', (trailers) => {
    status = trailers['grpc-status'];
  });
  const length = Buffer.alloc(5);
  length.writeUInt32BE(text.length, 1);
  stream.end(Buffer.concat([length, Buffer.from(text)]));
  const answer = Buffer.concat(await stream.toArray());
  session.close();
  expect(answer.readUInt32BE(1)).toBe(answer.length - 5);
  return { type, message: answer.subarray(5).toString(), status };
}

async function overTls(clone: Clone): Promise<string> {
  const sent = request({ host: hostOf(clone), port: 8443, path: '/', rejectUnauthorized: false, agent: false }).end();
  const [answer] = await once(sent, 'response');
  let text = '';
  for await (const part of answer) text += part;
  return text;
}

/** The parts of an answer as they arrive. */
async function parts(url: string): Promise<string[]> {
  const found: string[] = [];
  const { body } = await fetch(url);
  for await (const part of body!.pipeThrough(new TextDecoderStream())) found.push(part);
  return found;
}

/** One request under a trace of its own; rejects unless the collector has a span of that trace within 10 s. */
async function expectSpan(clone: Clone): Promise<void> {
  const trace = randomBytes(16);
  const traceparent = `00-${trace.toString('hex')}-${randomBytes(8).toString('hex')}-01`;
  await fetch(`${clone.origin}/state`, { headers: { traceparent } });
  // The exporter sends what it has every five seconds; ids are bytes in it.
  await expect.poll(() => exported.some((body) => body.includes(trace)), { timeout: 10_000, interval: 100 }).toBe(true);
}

interface State {
  ticks: number;
  serverGc: boolean;
  traceId: string;
}

describe.each([
  ['the workstation GC', 'workstation', '0'],
  ['the server GC', 'server', '1'],
])('with %s', (_, name, serverGc) => {
  const image = `dotnet-snapshot-test/protocols-${name}:restore-ready`;
  beforeAll(async () => {
    const { code, stderr } = await cli([
      'build',
      ...['--project', project, '--traffic', `${project}/traffic.yaml`, '--tag', image, '--name', `protocols-${name}`],
      ...['--env', `DOTNET_gcServer=${serverGc}`, '--env', `COLLECTOR=${collectorUrl}`],
      ...['--output', newFolder(), '--pairs', '1', '--clones', '1', '--warmup-timeout', '3'],
    ]);
    expect(stderr).not.toMatch(/DS\d{4}/);
    // The certificate that the app made at its start.
    expect(stderr).toContain('holds a private key (ECDSA, 256 bits) of the certificate CN=localhost');
    expect(stderr).toMatch(/cleared of .*: SignalR connections, server connections/);
    expect(code).toBe(0);
  });
  afterAll(() => docker(['image', 'rm', '--force', image, `dotnet-snapshot/protocols-${name}:app`], { mayFail: true }));

  test('two clones speak all that the app does', async () => {
    const unique = new Set<string>();
    for (let round = 1; round <= 2; round++) {
      const env = { DOTNET_SNAPSHOT: 'require', DOTNET_gcServer: serverGc, COLLECTOR: collectorUrl };
      const clone = await clones.ready(await clones.start(image, { env }));
      const socket = clone.origin.replace('http', 'ws');

      const said = { type: 'application/grpc', message: 'said hello', status: '0' };
      expect(await call(clone, 'hello')).toEqual(said);
      expect(await exchange(`${socket}/ws`, ['echo'])).toEqual(['echo']);
      const handshake = '{"protocol":"json","version":1}\u001e';
      const [shaken, invoked] = await exchange(`${socket}/hub`, [
        handshake,
        '{"type":1,"invocationId":"1","target":"Echo","arguments":["call"]}\u001e',
      ]);
      expect(shaken).toBe('{}\u001e');
      expect(invoked).toContain('"result":"hub call"');
      expect(await (await fetch(`${clone.origin}/page`)).text()).toContain('clicked');
      const circuit = await fetch(`${clone.origin}/_blazor/negotiate?negotiateVersion=1`, { method: 'POST' });
      expect(circuit.status).toBe(200);
      const { connectionToken } = (await circuit.json()) as { connectionToken: string };
      expect(await overTls(clone)).toBe('protocols');
      const events = await parts(`${clone.origin}/events`);
      expect(events.join('')).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n');
      expect(events.length).toBeGreaterThan(1);

      const before = await clone.get<State>('/state');
      expect(before.serverGc).toBe(serverGc === '1');
      await expect.poll(async () => (await clone.get<State>('/state')).ticks).toBeGreaterThan(before.ticks);
      await expectSpan(clone);

      unique.add(connectionToken).add(before.traceId);
      expect(unique.size).toBe(2 * round);
    }
  });
});
