import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { describeKeys, describeRisks, risksSchema } from '../../src/checkpoint/risks.ts';

const kinds = risksSchema.shape.members.element.shape.kind.options;
const member = { assembly: 'Shop', type: 'Shop.Basket', member: '_value' };
const linesOf = (answer: unknown) => describeRisks(risksSchema.parse(answer));

describe.each([
  ['guid', 'Guid', /same value; .*RegisterAfterRestore\.$/],
  ['random', 'Random', /continues with the same numbers; use Random\.Shared, or .*RegisterAfterRestore\.$/],
  ['identity', 'identity of a process', /that of the build; .*RegisterAfterRestore\.$/],
  ['key', 'byte[]', /same key material, .*read the image; .*RegisterAfterRestore\.$/],
  ['key-pair', 'key pair or certificate', /same key, .*read the image; .*RegisterAfterRestore\.$/],
  ['moment', 'date and time', /moment of the build; .*RegisterAfterRestore\.$/],
  ['http-client', 'HttpClient', /connections are closed .*; use IHttpClientFactory, or .*RegisterAfterRestore\.$/],
  ['timer', 'timer', /fires at once, in every clone; .*start of each clone.*RegisterAfterRestore\.$/],
] as const)('a member of the kind %s', (kind, holds, sentence) => {
  const lines = linesOf({ members: [{ kind, ...member }] });

  it('is one line with its place, why it is risky and what to do', () => {
    expect(lines).toHaveLength(1);
    expect(lines[0]!.startsWith(`Shop.Basket._value (${holds}): `)).toBe(true);
    expect(lines[0]).toMatch(sentence);
  });
});

test('every kind that the companion knows has a text here, and none besides', () => {
  const source = readFileSync('runtime/companion/RiskyMembersKinds.cs', 'utf8');
  const known = [...source.matchAll(/(?:=>|Timer =) "([a-z-]+)"/g)].map(([, kind]) => kind);
  expect(new Set(known)).toEqual(new Set(kinds));
});

test('members keep the companion’s order', () => {
  const members = ['b', 'a', 'c'].map((name) => ({ kind: 'guid', ...member, member: name }));
  expect(linesOf({ members }).map((line) => line.split(' ')[0])).toEqual(
    ['b', 'a', 'c'].map((name) => `Shop.Basket.${name}`),
  );
});

test('an app without such members gives no line', () => {
  expect(linesOf({ members: [] })).toEqual([]);
  expect(linesOf({ members: [], unread: [], omitted: 0 })).toEqual([]);
});

test('what was not looked at is told', () => {
  const lines = linesOf({ members: [], unread: ['Shop', 'Shop.Core'], omitted: 3 });
  expect(lines).toEqual([
    '3 more members like these are not shown.',
    'Shop, Shop.Core could not be read to look for such members.',
  ]);
});

test('a name can’t begin a line of its own', () => {
  const [line] = linesOf({ members: [{ kind: 'guid', ...member, member: 'x\n::error::y\u001b[2J' }] });
  expect(line).toMatch(/^Shop\.Basket\.x\?::error::y\?\[2J \(Guid\): /);
});

test('a kind that is unknown here is refused', () => {
  expect(risksSchema.safeParse({ members: [{ kind: 'new', ...member }] }).success).toBe(false);
});

describe('private keys that the app holds', () => {
  const key = { algorithm: 'RSA', bits: 2048, subject: null, holder: 'Shop.Tokens._signing' };
  const lines = (...keys: (Omit<typeof key, 'subject'> & { subject: string | null })[]) =>
    describeKeys({ keys, complete: true });

  it('are one line each, with their place and what to do', () => {
    expect(lines(key)).toEqual([
      'Shop.Tokens._signing holds a private key (RSA, 2048 bits): every clone has it, and so has everyone who can read the image; make or load it anew in RegisterAfterRestore.',
    ]);
  });

  it('of a certificate of the server are to be given by production', () => {
    const holder = 'Microsoft.AspNetCore.Server.Kestrel.Https.HttpsConnectionAdapterOptions.ServerCertificate';
    expect(lines({ ...key, subject: 'CN=shop', holder })[0]).toMatch(/of the certificate CN=shop: .*mounted file/);
  });

  it('may be more than were found', () => {
    expect(describeKeys({ keys: [], complete: false })[0]).toMatch(/there may be others\.$/);
  });
});
