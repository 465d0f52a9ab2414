import { createPrivateKey, createSign, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { RuleSet } from '../../../src/scan/rules/ruleset.ts';
import { fakeOf } from '../../../src/secrets/fakes.ts';
import { allowingPlaceholders, withoutFakes, withPlaceholders } from '../../../src/secrets/placeholders.ts';

/** As secrets are generated: letters of both cases and digits. */
const generated = (length: number) =>
  Array.from(randomBytes(length), (byte) => 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'[byte % 56]).join(
    '',
  );
const segment = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a fake', () => {
  test.each([
    ['letters and digits', `${generated(20)}`],
    ['a passphrase', 'horse-Staple battery! 42 ünder'],
    ['digits', String(10 ** 11 + Math.floor(Math.random() * 10 ** 11))],
  ])('of %s has the same length and kinds of characters', (_name, secret) => {
    const fake = fakeOf(secret);
    expect(fake).not.toBe(secret);
    const kinds = (text: string) =>
      text
        .replaceAll(/\p{Ll}/gu, 'a')
        .replaceAll(/[A-Z]/g, 'A')
        .replaceAll(/\d/g, '0');
    expect(kinds(fake)).toBe(kinds(secret));
  });

  test.each([16, 17, 32, 64])('of %i bytes in base64 decodes to as many', (length) => {
    for (const encoding of ['base64', 'base64url'] as const) {
      const secret = randomBytes(length).toString(encoding);
      const fake = fakeOf(secret);
      expect(fake).not.toBe(secret);
      expect(fake).toHaveLength(secret.length);
      expect(Buffer.from(fake, encoding)).toHaveLength(length);
      expect(fake).toMatch(encoding === 'base64' ? /^[A-Za-z0-9+/]+=*$/ : /^[A-Za-z0-9_-]+$/);
    }
  });

  test('of hex and of a GUID stays one, in the same case', () => {
    const hex = randomBytes(32).toString('hex');
    expect(fakeOf(hex)).toMatch(/^[0-9a-f]{64}$/);
    expect(fakeOf(hex.toUpperCase())).toMatch(/^[0-9A-F]{64}$/);
    expect(fakeOf(randomUUID())).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(fakeOf(hex)).not.toBe(hex);
  });

  test('of a token of a service begins like it, but words stay nowhere', () => {
    expect(fakeOf(`ghp_${generated(36)}`)).toMatch(/^ghp_[A-Za-z0-9]{36}$/);
    expect(fakeOf(`sk_live_${generated(24)}`)).toMatch(/^sk_live_[A-Za-z0-9]{24}$/);
    expect(fakeOf('acme_cellar_door_9')).not.toMatch(/acme|cellar|door/);
  });

  test('of a JSON Web Token has its header and times, and other claims and signature', () => {
    const [header, claims] = [
      { alg: 'RS256', typ: 'JWT' },
      { sub: generated(12), exp: 1893456000, roles: [generated(8)] },
    ];
    const secret = `${segment(header)}.${segment(claims)}.${randomBytes(256).toString('base64url')}`;
    const [first, second, third] = fakeOf(secret).split('.');
    expect(first).toBe(segment(header));
    const fake = JSON.parse(Buffer.from(second!, 'base64url').toString()) as typeof claims;
    expect(fake.exp).toBe(claims.exp);
    expect(fake.sub).toHaveLength(12);
    expect(fake.sub).not.toBe(claims.sub);
    expect(fake.roles[0]).not.toBe(claims.roles[0]);
    expect(Buffer.from(third!, 'base64url')).toHaveLength(256);
  });

  test.each([
    '!@#$%^&*()_+!@#',
    '!@#$%^&*()_+!@a',
    '"',
    '    ',
    '-----BEGIN PRIVATE KEY-----\nshort\n-----END PRIVATE KEY-----',
  ])('of %j is not the secret, nor most of it', (secret) => {
    const fake = fakeOf(secret);
    expect(fake).not.toBe(secret);
    expect(fake).not.toContain(secret.slice(0, -1) || secret);
  });

  test('of a private key is another that signs', () => {
    const keys = [
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs1' }),
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' }),
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'pem', type: 'sec1' }),
    ].map(String);
    for (const secret of keys) {
      const fake = fakeOf(secret);
      expect(fake).not.toBe(secret);
      expect(fake.split('\n')[0]).toBe(secret.split('\n')[0]);
      const [real, other] = [createPrivateKey(secret), createPrivateKey(fake)];
      expect(other.asymmetricKeyDetails).toEqual(real.asymmetricKeyDetails);
      expect(createSign('sha256').update('x').sign(other).length).toBeGreaterThan(0);
    }
    const encrypted = String(
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
        ...{ format: 'pem', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: generated(12) },
      }),
    );
    const fake = fakeOf(encrypted);
    expect(fake.split('\n')[1]).not.toBe(encrypted.split('\n')[1]);
    expect(fake).toHaveLength(encrypted.length);
  });

  test.each([
    ['CR LF', '\r\n'],
    ['\\n in letters', '\\n'],
    ['\\r\\n in letters', '\\r\\n'],
    ['blanks', ' '],
    ['nothing', ''],
  ])('of a private key whose lines end in %s has none of its lines', (_name, end) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = String(privateKey.export({ format: 'pem', type: 'pkcs8' })).trimEnd();
    const fake = fakeOf(pem.replaceAll('\n', end));
    expect(fake).toMatch(/^-----BEGIN PRIVATE KEY-----.+-----END PRIVATE KEY-----$/s);
    for (const line of pem.split('\n').slice(1, -1)) expect(fake).not.toContain(line);
    if (end.length > 1) expect(fake.split(end)).toHaveLength(pem.split('\n').length);
  });
});

test('rules take no placeholder for a secret, and everything else', () => {
  const rules = {
    ...{ regex: 'sk_live_[0-9a-zA-Z]{24}', secretGroup: 0, entropy: 0, keywords: ['sk_live_'], tags: [] },
    ...{ id: 'key', description: 'a key', origin: 'gitleaks' as const, allowlists: [], required: [] },
    ...{ skipReport: false, disabled: false, isLocal: false },
  };
  const [secret, key] = [`sk_live_${generated(24)}`, `sk_live_${generated(24)}`];
  const { env, texts } = withPlaceholders({ API_KEY: key });
  const config = { rules: [rules], allowlists: [], warnings: [] };
  const found = (set: RuleSet) => {
    const secrets: string[] = [];
    const text = `one ${env.API_KEY} and ${secret}\n`;
    set.search(text, { file: 'pages-1.img' }, (match) => secrets.push(match.secret));
    return secrets;
  };
  expect(found(new RuleSet(config))).toEqual([env.API_KEY, secret]);
  expect(found(new RuleSet(allowingPlaceholders(config, texts)))).toEqual([secret]);
  expect(allowingPlaceholders(config, [])).toBe(config);
});

test('what a fake has in common with its secret lets nothing pass', () => {
  const token = (subject: string) =>
    [segment({ alg: 'HS256', typ: 'JWT' }), segment({ sub: subject }), randomBytes(32).toString('base64url')].join('.');
  const [secret, other] = [token(generated(12)), token(generated(12))];
  const { env, texts } = withPlaceholders({ ACCESS_TOKEN: secret });
  const known = [env.ACCESS_TOKEN!, secret, other].map((value, index) => ({ name: `token ${index}`, value }));
  expect(withoutFakes(known, texts).map(({ value }) => value)).toEqual([secret, other]);
});

describe('with the texts of placeholders', () => {
  const rule = {
    ...{ regex: 'key: (\\S+)', secretGroup: 1, entropy: 0, keywords: ['key: '], tags: [] },
    ...{ id: 'key', description: 'a key', origin: 'gitleaks' as const, allowlists: [], required: [] },
    ...{ skipReport: false, disabled: false, isLocal: false },
  };
  const config = { rules: [rule], allowlists: [], warnings: [] };
  const isFound = (secret: string, texts: string[]) => {
    const found: string[] = [];
    const set = new RuleSet(allowingPlaceholders(config, texts));
    set.search(`key: ${secret} `, { file: 'pages-1.img' }, (match) => found.push(match.secret));
    return found.length > 0;
  };
  const [fake, other] = [generated(24), generated(24)];

  test.each([
    ['is one', fake, [fake], false],
    ['is a short one', fake.slice(0, 8), [fake.slice(0, 8)], false],
    ['is made of them', `${fake}.${other}`, [fake, other], false],
    ['is one in lines', `AB==\\n${fake}\\n${other}\\nAB==`, [fake, other], false],
    ['is one with an escape before it', `%3D${fake}`, [fake], false],
    ['has one as a part of a word', `${fake}${other}`, [fake], true],
    ['has one beside what is none', `${fake}.${other}`, [fake], true],
    ['has a short one', `${fake.slice(0, 8)}.${other.slice(0, 11)}`, [fake.slice(0, 8)], true],
    ['has what is too short for one', 'abcde', ['abcde'], true],
    ['has blanks for one', `${fake}`, [' '.repeat(20)], true],
  ])('rules decide on a match that %s', (_what, secret, texts, expected) => {
    expect(isFound(secret, texts)).toBe(expected);
  });

  test('a known value counts where something secret is left of it, or where the user named it', () => {
    const pem = `-----BEGIN PRIVATE KEY-----\n${fake}\n${other}\nab==\n-----END PRIVATE KEY-----\n`;
    const madeUp = [
      ...[fake, `Host=db;Username=shop;Password=${fake}`, `postgres://shop:${fake}@db/shop`, `Bearer ${fake}`, pem],
      JSON.stringify({ type: 'service_account', private_key: pem }),
    ];
    const left = [`${fake}.${generated(12)}`, `Host=db;Password=${generated(24)};AccountKey=${fake}`, generated(24)];
    const known = [...madeUp, ...left].map((value) => ({ name: 'configuration Some:Secret', value }));
    expect(withoutFakes(known, [fake, other]).map(({ value }) => value)).toEqual(left);
    const named = { name: 'secret A', value: fake, explicit: true as const };
    expect(withoutFakes([named], [fake])).toEqual([named]);
    expect(withoutFakes(known, ['', ' '.repeat(20), ...'abcdefghijklmnopqrstuvwxyz0123456789'])).toEqual(known);
  });
});

describe('variables', () => {
  const password = generated(18);

  test('keep what is no secret', () => {
    const env = {
      Title: 'Shop',
      Database: 'postgres',
      ConnectionStrings__Cache: 'localhost:6379',
      DB_PASSWORD: 'placeholder',
    };
    expect(withPlaceholders({ ...env, DB_PASSWORD: password })).toMatchObject({
      env: { Title: 'Shop', Database: 'postgres' },
      names: expect.arrayContaining(['DB_PASSWORD']) as string[],
    });
    expect(withPlaceholders({ Title: 'Shop' })).toEqual({ env: { Title: 'Shop' }, names: [], texts: [] });
  });

  test('have the credential of a connection string or URL replaced, and nothing else', () => {
    const { env, texts } = withPlaceholders({
      ConnectionStrings__Shop: `Host=db;Username=${password.slice(0, 4)};Password=${password};Database=shop`,
      ConnectionStrings__Same: `Host=db;Username=${password};Password=${password}`,
      MONGO: `mongodb://app:${password}@db:27017/shop?tls=true`,
      AzureStorage: `DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=${randomBytes(64).toString('base64')};EndpointSuffix=core.windows.net`,
      Quoted: `Server=db;Password="${password}; x";Encrypt=true`,
    });
    const fake = /Password=([^;]+);/.exec(env.ConnectionStrings__Shop!)![1]!;
    expect(fake).toHaveLength(password.length);
    expect(env.ConnectionStrings__Shop).toBe(`Host=db;Username=${password.slice(0, 4)};Password=${fake};Database=shop`);
    expect(env.MONGO).toBe(`mongodb://app:${fake}@db:27017/shop?tls=true`);
    const key = /AccountKey=([^;]+);/.exec(env.AzureStorage!)![1]!;
    expect(Buffer.from(key, 'base64')).toHaveLength(64);
    expect(env.AzureStorage).toMatch(
      /^DefaultEndpointsProtocol=https;AccountName=shop;.*;EndpointSuffix=core.windows.net$/,
    );
    expect(texts).toContain(fake);
    expect(texts).toContain(key);
    for (const value of Object.values(env)) expect(value).not.toContain(password);
  });

  test('have the same fake where they hold the same secret, whatever their name is', () => {
    const { env, names } = withPlaceholders({ API_KEY: password, Arguments: `--upstream-auth ${password}` });
    expect(env.Arguments).toBe(`--upstream-auth ${env.API_KEY}`);
    expect(names).toEqual(['API_KEY', 'Arguments']);
  });

  test('have the secret members of a JSON document replaced', () => {
    const key = String(
      generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'pem', type: 'pkcs8' }),
    );
    const document = { type: 'service_account', project_id: 'shop', private_key: key };
    const { env, texts } = withPlaceholders({ GOOGLE_CREDENTIALS: JSON.stringify(document) });
    const fake = JSON.parse(env.GOOGLE_CREDENTIALS!) as typeof document;
    expect(fake).toMatchObject({ type: 'service_account', project_id: 'shop' });
    expect(fake.private_key).not.toBe(key);
    expect(createPrivateKey(fake.private_key).asymmetricKeyType).toBe('rsa');
    expect(texts.some((text) => fake.private_key.includes(text))).toBe(true);
  });
});
