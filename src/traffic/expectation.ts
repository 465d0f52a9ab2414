import type { Answer, Exchange } from '../model/index.ts';
import { excerptOf } from './excerpt.ts';
import { type Captures, fillIn } from './template.ts';

/** One sentence for each thing that the exchange expects and the answer does not have; no exchange expects an error of the server unless it says so. */
export function unmetBy(
  { status, headers, body }: Pick<Answer, 'status' | 'headers' | 'body'>,
  expect: NonNullable<Exchange['expect']>,
  captures: Captures,
): string[] {
  const unmet: string[] = [];
  const asExpected = expect.status === undefined ? status < 500 : status === expect.status;
  if (!asExpected) {
    const shown = body.length > 0 ? `; its body begins: ${excerptOf(body)}` : '; its body is empty';
    unmet.push(`status is ${status}, expected ${expect.status ?? 'one below 500'}${shown}`);
  }
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  for (const template of expect.bodyContains ?? []) {
    const wanted = fillIn(template, captures);
    if (!text.includes(wanted)) unmet.push(`body does not contain ${JSON.stringify(wanted)}`);
  }
  for (const [name, template] of Object.entries(expect.headers ?? {})) {
    const wanted = fillIn(template, captures);
    const found = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (found?.toLowerCase().includes(wanted.toLowerCase())) continue;
    const shown = found === undefined ? 'missing' : JSON.stringify(found);
    unmet.push(`header ${name} is ${shown}, expected it to contain ${JSON.stringify(wanted)}`);
  }
  return unmet;
}
