import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { SnapshotError } from '../../../src/errors.ts';
import { Redactor } from '../../../src/secrets/redact.ts';
import { createSession } from '../../../src/session.ts';
import { recordingLog } from '../../harness/recording-log.ts';

/** Letters and digits, another text each time. */
const random = (length: number) => `k7${randomBytes(length).toString('hex')}`.slice(0, length);

const PLAIN = `${random(20)}7a`;
/** With characters that every form writes differently. */
const ODD = `${random(6)}ä+/"&<>'=? ${random(6)}\\`;

const knows = (...values: string[]) => {
  const redactor = new Redactor();
  redactor.add(values.map((value, index) => ({ name: `n${index}`, value })));
  return redactor;
};

describe.each([
  ['a plain value', PLAIN],
  ['a value with odd characters', ODD],
])('%s is masked', (_what, value) => {
  const { text } = { text: (line: string) => knows(value).text(line) };
  const bytes = Buffer.from(value);
  const json = JSON.stringify(value).slice(1, -1);

  test.each<[string, string]>([
    ['as it is', value],
    ['in hex', bytes.toString('hex')],
    ['in upper-case hex', bytes.toString('hex').toUpperCase()],
    ['URL-encoded', encodeURIComponent(value)],
    ['as a form field', new URLSearchParams({ v: value }).toString().slice(2)],
    ['as WebUtility writes a form', new URLSearchParams({ v: value }).toString().slice(2).replaceAll('%21', '!')],
    ['by encodeURI', encodeURI(value)],
    [
      'in hex with dashes',
      bytes
        .toString('hex')
        .toUpperCase()
        .replaceAll(/..(?!$)/g, '$&-'),
    ],
    ['in hex of UTF-16LE', Buffer.from(value, 'utf16le').toString('hex')],
    ['in JSON', json],
    ['in JSON with slashes escaped', json.replaceAll('/', '\\/')],
    ['in JSON within JSON', JSON.stringify(json).slice(1, -1)],
  ])('%s', (_form, form) => {
    expect(text(`before ${form} after`)).toBe('before *** after');
  });

  test.each<[string, string]>([
    ['with a user before it', `user:${value}`],
    ['one byte later', `a${value}b`],
    ['two bytes later', `ab${value}c`],
  ])('in base64 and base64url %s', (_where, around) => {
    for (const bytes of [Buffer.from(around), Buffer.from(around, 'utf16le')]) {
      for (const encoding of ['base64', 'base64url'] as const) {
        const line = text(`x ${bytes.toString(encoding)} y`);
        expect(line).toContain('***');
        // What is left at the ends belongs to its neighbours too.
        expect(line.length).toBeLessThan(30);
      }
    }
  });

  test('as System.Text.Json and HTML encoders write it', () => {
    const dotnet = json.replace(
      /\\"|["&'+<>`\u0080-\uffff]/g,
      (char) => `\\u${char.at(-1)!.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
    );
    expect(text(`<${dotnet}>`)).toBe('<***>');
    const html = [...value].map((char) => (/[\p{L}\p{N} ]/u.test(char) ? char : `&#${char.codePointAt(0)};`)).join('');
    expect(text(`<code>${html}</code>`)).toBe('<code>***</code>');
  });
});

describe('a redactor', () => {
  test('masks what no encoder has to change', () => {
    const redactor = knows('Zq/9xT4~k');
    expect(redactor.text('Zq\\/9xT4~k Zq%2F9xT4%7Ek Zq%2f9xT4%7ek')).toBe('*** *** ***');
  });

  test('masks several values, overlapping ones as one', () => {
    const redactor = knows(`${PLAIN}-tail-of-it`, PLAIN, `second${PLAIN}`);
    expect(redactor.text(`a ${PLAIN}-tail-of-it b second${PLAIN} c ${PLAIN}${PLAIN}`)).toBe('a *** b *** c ******');
  });

  test('masks what a cut has left of a value', () => {
    const redactor = knows(PLAIN);
    expect(redactor.text(`body: ${PLAIN.slice(0, 12)}…`)).toBe('body: ***…');
    expect(redactor.text(`body: ${PLAIN.slice(0, 12)}`)).toBe('body: ***');
    expect(redactor.text(`${PLAIN.slice(0, 12)} and more`)).toBe(`${PLAIN.slice(0, 12)} and more`);
    expect(redactor.text(`${PLAIN.slice(0, 3)}…`)).toBe(`${PLAIN.slice(0, 3)}…`);
  });

  test('masks each line of a value of several lines', () => {
    const lines = [random(64), random(64)];
    const redactor = knows(['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----'].join('\n'));
    for (const line of lines) expect(redactor.text(`  | ${line}`)).toBe('  | ***');
    expect(redactor.text('-----BEGIN PRIVATE KEY----- is how it begins')).toMatch(/^-----BEGIN/);
  });

  test('leaves words alone, unless the user named a short value as a secret', () => {
    const redactor = knows('password', 'development', 'true', 'abc', 'Zq4!x');
    expect(redactor.text('password development true abc Zq4!x')).toBe('password development true abc Zq4!x');
    redactor.add([
      { name: 'secret PIN', value: 'Zq4!x', explicit: true },
      { name: 'secret FLAG', value: 'true', explicit: true },
      { name: 'secret WORD', value: 'password', explicit: true },
    ]);
    expect(redactor.text('password true Zq4!x')).toBe('password true ***');
  });

  test('masks every text in data, and keeps its shape', () => {
    const data = { [PLAIN]: 1, list: [`a ${PLAIN}`, 2, null, true], inner: { text: PLAIN, none: undefined } };
    expect(knows(PLAIN).data(data)).toEqual({ [PLAIN]: 1, list: ['a ***', 2, null, true], inner: { text: '***' } });
  });

  test('applies the rules to details, and keeps code and fix of a failure', () => {
    const redactor = new Redactor((text, found) => {
      for (const match of text.matchAll(/tok_\w+/g)) found({ start: match.index, secret: match[0] });
    });
    redactor.add([{ name: 'n', value: PLAIN }]);
    const error = redactor.error(
      new SnapshotError('DS5001', `was ${PLAIN}`, { fix: `not ${PLAIN}`, detail: `tok_123 and ${PLAIN}` }),
    );
    expect(error.format()).toBe('DS5001: was ***\n  | *** and ***\n  fix: not ***\n  more: docs/errors.md#ds5001');
    expect(error.exitCode).toBe(5);
  });

  test('takes its time by the length of the text alone', () => {
    const redactor = new Redactor();
    redactor.add(Array.from({ length: 1000 }, () => ({ name: 'n', value: randomBytes(20).toString('base64url') })));
    redactor.add(Array.from({ length: 20 }, () => ({ name: 'n', value: `Host=db;Password=${random(30)}` })));
    const start = performance.now();
    redactor.text('Host=db;'.repeat(50_000));
    expect(performance.now() - start).toBeLessThan(3000);
  });
});

describe('a session', () => {
  const jwt = [
    { alg: 'HS256', typ: 'JWT' },
    { sub: random(8), role: 'admin', iat: 1_700_000_000 },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .concat(random(43))
    .join('.');

  test('masks the secrets of its environment in every line, those of an app’s log by rule as well', async () => {
    const log = recordingLog();
    const { tools } = createSession(log, { DB_PASSWORD: PLAIN, HOME: '/root' });
    tools.log.info(`info ${PLAIN}`);
    tools.log.warning(`warning ${PLAIN}`);
    tools.log.debug(`debug ${PLAIN}`);
    await tools.log.group(`group ${PLAIN}`, async () => {});
    expect([...log.infos, ...log.warnings, ...log.debugs]).toEqual(['info ***', 'warning ***', 'debug ***']);
    const error = tools.redactor.error(new SnapshotError('DS3002', 'It ended.', { detail: `Bearer ${jwt}\n${PLAIN}` }));
    expect(error.detail).toBe('Bearer ***\n***');
  });
});
