import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on a free port of the loopback interface. */
export interface LocalServer {
  /** Its address, without a slash at the end. */
  url: string;
  close(): Promise<void>;
}

/** One request, its body read. */
export interface LocalRequest {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** What to answer; an object as body is sent as JSON. */
export interface LocalAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: Buffer | string | object;
}

/** Serves `handle`; what it throws becomes a 500 with the message, so that no mistake of a test stays silent. */
export async function serve(handle: (request: LocalRequest) => LocalAnswer): Promise<LocalServer> {
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const request: LocalRequest = {
      method: message.method ?? 'GET',
      url: new URL(message.url ?? '/', `http://${message.headers.host}`),
      headers: message.headers,
      body: Buffer.concat(chunks),
    };
    let answer: LocalAnswer;
    try {
      answer = handle(request);
    } catch (error) {
      answer = { status: 500, body: { code: 'internal', msg: String(error) } };
    }
    send(response, answer, request.method === 'HEAD');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((closed, failed) => {
        server.close((error) => (error ? failed(error) : closed()));
        server.closeAllConnections();
      }),
  };
}

function send(response: ServerResponse, { status, headers = {}, body = '' }: LocalAnswer, headOnly: boolean): void {
  const raw = typeof body === 'string' || Buffer.isBuffer(body);
  const bytes = Buffer.from(raw ? body : JSON.stringify(body));
  const type = raw ? {} : { 'content-type': 'application/json' };
  response.writeHead(status, { ...type, 'content-length': bytes.length, ...headers });
  response.end(headOnly ? undefined : bytes);
}
