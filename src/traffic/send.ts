import type { Dispatcher } from 'undici';

/** One HTTP request, ready to send. */
export interface Outgoing {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
}

/** What came back. */
export interface Incoming {
  status: number;
  /** Names in lower case; several values are joined with ", ". */
  headers: Record<string, string>;
  setCookies: string[];
  /** As it came, encoded or not. */
  body: Uint8Array;
}

/**
 * Sends a request and resolves with the whole answer. Rejects with the connection's error, or where the answer is not
 * whole after `timeoutMs` milliseconds, connecting included. Works on undici's dispatcher itself, which costs about
 * half the CPU of its `request`.
 */
export function send(dispatcher: Dispatcher, request: Outgoing, timeoutMs: number): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined;
    let late: Error | undefined;
    let status = 0;
    let headers: Record<string, string | string[] | undefined> = {};
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => {
      late = new Error(status === 0 ? `time-out after ${timeoutMs} ms` : endless(status, headers, timeoutMs));
      controller?.abort(late);
      reject(late);
    }, timeoutMs);
    const { method, path, body = null } = request;
    dispatcher.dispatch(
      { method: method as Dispatcher.HttpMethod, path, headers: request.headers, body },
      {
        onRequestStart(started) {
          controller = started;
          if (late) started.abort(late);
        },
        onResponseStart(_controller, statusCode, received) {
          status = statusCode;
          headers = received;
        },
        onResponseData(_controller, chunk) {
          chunks.push(chunk);
        },
        onResponseEnd() {
          clearTimeout(timer);
          const setCookies = [headers['set-cookie'] ?? []].flat();
          const whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks);
          resolve({ status, headers: joined(headers), setCookies, body: whole });
        },
        onResponseError(_controller, error) {
          clearTimeout(timer);
          reject(error);
        },
      },
    );
  });
}

/** An answer that has begun and does not end, as that of server-sent events. */
function endless(status: number, headers: Record<string, string | string[] | undefined>, timeoutMs: number): string {
  const type = headers['content-type'] === undefined ? '' : ` of ${headers['content-type']}`;
  return `an answer${type} with status ${status} began and did not end within ${timeoutMs} ms; leave endless answers out of the traffic`;
}

function joined(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) result[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return result;
}
