import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Answer, Exchange, KnownSecret } from '../../../src/model/index.ts';
import {
  isSecretSetting,
  parseGivenSecrets,
  partsOf,
  searchableSecrets,
  secretsOfAnswers,
  secretsOfAppSettings,
  secretsOfConfiguration,
  secretsOfEnvironment,
  secretsOfTraffic,
  secretsOfUserSecrets,
  trivialReason,
} from '../../../src/scan/known/index.ts';
import { recordingLog } from '../../harness/recording-log.ts';

/** Letters and digits, another text each time. */
const random = (length: number) => `k7${randomBytes(length).toString('hex')}`.slice(0, length);

const VALUE = random(24);
const folder = mkdtempSync(join(tmpdir(), 'known-'));
afterAll(() => rmSync(folder, { recursive: true }));

const valuesOf = (secrets: KnownSecret[]) => secrets.map(({ value }) => value);
const namesOf = (secrets: KnownSecret[]) => secrets.map(({ name }) => name);

describe('by name and form', () => {
  test.each([
    ['DB_PASSWORD', VALUE],
    ['Jwt__SigningKey', VALUE],
    ['Jwt:SigningKey', VALUE],
    ['Stripe__ApiKey', VALUE],
    ['AWS_SECRET_ACCESS_KEY', VALUE],
    ['AWS_ACCESS_KEY_ID', VALUE],
    ['MYSQL_PWD', VALUE],
    ['STORAGE_SAS', VALUE],
    ['ConnectionStrings__Cache', VALUE],
    ['ApiKeys:Search', VALUE],
    ['Secrets:Hybrid', VALUE],
    ['Secrets:Phrase', 'correct horse battery'],
    ['TokenProvider:Seed', `${VALUE}7`],
    ['ANYTHING', `Host=db;Username=app;Password=${VALUE}`],
    ['DATABASE_URL', `postgres://app:${VALUE}@db/shop`],
    ['HOOK', `https://host.example/run?api_key=${VALUE}`],
  ])('%s is a secret', (name, value) => expect(isSecretSetting(name, value)).toBe(true));

  test.each([
    ['PWD', '/srv/app'],
    ['DB_PASSWORD_FILE', '/run/secrets/db'],
    ['TOKEN_ENDPOINT', 'https://login.example.org/token'],
    ['DISASTER_PLAN', VALUE],
    ['Jwt__TokenIssuer', 'https://issuer'],
    ['TokenValidation:Level', 'Information'],
    ['TokenValidation:ClockSkew', '00:05:00'],
    ['Token:ExpiresIn', '3600'],
    ['PasswordPolicy:RequiredLength', '12'],
    ['ConnectionStrings:Lite', 'Data Source=app.db;Cache=Shared'],
    ['ConnectionStrings:Placeholder', 'Host=db;Password=placeholder'],
    ['ASPNETCORE_ENVIRONMENT', 'Development'],
  ])('%s=%s is none', (name, value) => expect(isSecretSetting(name, value)).toBe(false));

  test('a secret is known with the parts that an app may hold apart', () => {
    expect(secretsOfEnvironment({ ConnectionStrings__Main: `Server=db;User ID=a;Password="${VALUE};x"` })).toEqual([
      { name: 'environment ConnectionStrings__Main', value: `Server=db;User ID=a;Password="${VALUE};x"` },
      { name: 'environment ConnectionStrings__Main (Password)', value: `${VALUE};x` },
    ]);
  });

  test('a key that a configuration lists as a name is known, and no name', () => {
    const key = `sk${random(22)}`;
    const entries = [
      { key: `ApiKeys:${key}`, value: 'customer' },
      { key: `ConnectionStrings:${key}`, value: `Host=db;Password=${VALUE}` },
      { key: 'ApiKeys:OrderProcessing2', value: VALUE },
    ];
    const secrets = secretsOfConfiguration(entries);
    expect(secrets.find(({ value }) => value === key)).toEqual({ name: 'configuration ApiKeys:* (name)', value: key });
    expect(namesOf(secrets)).toContain('configuration ApiKeys:OrderProcessing2');
    expect(namesOf(secrets)).toContain(`configuration ConnectionStrings:${key}`);
    expect(namesOf(secretsOfEnvironment({ [`ApiKeys__${key}__Owner`]: 'me' }))).toEqual([
      'environment ApiKeys__*__Owner',
      'environment ApiKeys__*__Owner (name)',
    ]);
  });

  test('configuration entries read like configuration', () => {
    expect(
      secretsOfConfiguration([
        { key: 'Jwt:SigningKey', value: VALUE },
        { key: 'AllowedHosts', value: '*' },
      ]),
    ).toEqual([{ name: 'configuration Jwt:SigningKey', value: VALUE }]);
  });
});

describe('parts', () => {
  const parts = (value: string) => valuesOf(partsOf({ name: 'n', value })).slice(1);
  test('of a URL, as written and decoded', () =>
    expect(parts('amqp://u:p%40ss-w0rd-7@mq:5672/')).toEqual(['p%40ss-w0rd-7', 'p@ss-w0rd-7']));
  test('of a SAS URL', () => {
    const sig = `${random(42)}%3D`;
    expect(parts(`https://a.blob.example/c?sv=2024&sig=${sig}&se=2030`)).toEqual([sig, sig.replace('%3D', '=')]);
  });
  test('of a Redis configuration', () => expect(parts(`cache:6379,password=${VALUE},ssl=True`)).toEqual([VALUE]));
  test('of an ADO.NET connection string with commas, braces and doubled quotes', () => {
    expect(parts(`Server=tcp:db,1433;Pwd=a,b,${VALUE};Encrypt=True`)).toEqual([`a,b,${VALUE}`]);
    expect(parts(`Driver=x;PWD={a;${VALUE}};`)).toEqual([`a;${VALUE}`]);
    expect(parts(`Server=x;Password="a""b${VALUE}";`)).toEqual([`a"b${VALUE}`]);
  });
  test('of a JSON document', () => {
    expect(
      parts(JSON.stringify({ client_id: 'public-client', client_secret: VALUE, nested: { token: `t${VALUE}` } })),
    ).toEqual([VALUE, `t${VALUE}`]);
  });
  test.each([
    ['a line end', `${VALUE}\n`, [VALUE]],
    ['blanks', ` ${VALUE}\t\r\n`, [VALUE]],
    ['quotes', `"${VALUE}"`, [VALUE]],
    ['quotes and a line end', `'${VALUE}'\n`, [`'${VALUE}'`, VALUE]],
    ['a scheme', `Bearer ${VALUE}`, [VALUE]],
    ['a header', `Authorization: token  ${VALUE}`, [VALUE]],
    [
      'Basic',
      `Basic ${Buffer.from(`me:${VALUE}`).toString('base64')}`,
      [Buffer.from(`me:${VALUE}`).toString('base64'), `me:${VALUE}`, VALUE],
    ],
    ['words', `correct ${VALUE}`, []],
  ])('without %s around it', (_what, value, expected) => expect(parts(value)).toEqual(expected));
  test('of a connection string in quotes, and of one in a JSON document', () => {
    expect(parts(`"Server=db;Password=${VALUE}"`)).toEqual([`Server=db;Password=${VALUE}`, VALUE]);
    const connection = `Server=db;User Id=a;Password=${VALUE}`;
    expect(parts(JSON.stringify({ ConnectionStrings: { Db: connection } }))).toEqual([connection, VALUE]);
  });
  test.each([
    ['an @ in it', `postgres://u:p@ss${VALUE}@host/db`, [`p@ss${VALUE}`]],
    ['what a URL has to escape', `amqp://u:ab/cd#${VALUE}@host/vhost`, [`ab/cd#${VALUE}`]],
    ['a port in its place', 'https://host:8080/a@b', []],
    ['an address in its place', 'https://[::1]:8080/a@b', []],
  ])('of a URL whose password has %s', (_what, value, expected) => expect(parts(value)).toEqual(expected));
  test('of a key in PEM form, whichever line ends it has', () => {
    const lines = [random(64), random(64), random(20)];
    const pem = ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----'];
    for (const end of ['\n', '\r\n']) expect(parts(pem.join(end))).toEqual([lines.join(''), lines[1]]);
  });
});

describe('given by the user', () => {
  const given = (text: string) => parseGivenSecrets(text, 'The input secrets');
  test('as lines and as JSON objects, in any order', () => {
    const json = JSON.stringify({ github_token: VALUE, EMPTY: '', PEM: 'two\nlines}' }, null, 2);
    expect(given(`A=x=y\n\n${json}\n B=z z\n`)).toEqual([
      { name: 'secret A', value: 'x=y', explicit: true },
      { name: 'secret github_token', value: VALUE, explicit: true },
      { name: 'secret PEM', value: 'two\nlines}', explicit: true },
      { name: 'secret B', value: 'z z', explicit: true },
    ]);
  });
  test.each([
    [`A=b\n${VALUE}`, 'The input secrets has no "=" in line 2.'],
    [`{\n"a": "${VALUE}"`, 'The input secrets has a JSON object that never ends in line 1.'],
  ])('wrongly: the message has the line and not the value', (text, message) => {
    expect(() => given(text)).toThrow(message);
    expect(message).not.toContain(VALUE);
  });
});

describe('in files', () => {
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), text);
  };

  test('appsettings are read as .NET reads them, below the folder too, but not in bin and obj', async () => {
    write('app/appsettings.json', `\uFEFF{ // comment\n "Jwt": { "SigningKey": "${VALUE}", }, "Url": "http://a//b", }`);
    write('app/web/appsettings.Production.json', JSON.stringify({ ApiKeys: [`a${VALUE}`, `b${VALUE}`] }));
    write('app/bin/appsettings.json', JSON.stringify({ Password: `bin-${VALUE}` }));
    write('app/settings.json', JSON.stringify({ Password: `other-${VALUE}` }));
    write('app/appsettings.broken.json', '{');
    expect(await secretsOfAppSettings(join(folder, 'app'))).toEqual([
      { name: 'appsettings.json Jwt:SigningKey', value: VALUE },
      { name: 'web/appsettings.Production.json ApiKeys:0', value: `a${VALUE}` },
      { name: 'web/appsettings.Production.json ApiKeys:1', value: `b${VALUE}` },
    ]);
    expect(await secretsOfAppSettings(join(folder, 'no-such-folder'))).toEqual([]);
  });

  test('user secrets are all secret, whatever their names', async () => {
    write(
      'src/Directory.Build.props',
      '<Project><PropertyGroup><UserSecretsId>shared-id</UserSecretsId></PropertyGroup></Project>',
    );
    write(
      'src/app/App.csproj',
      '<Project><PropertyGroup><UserSecretsId>own-id</UserSecretsId></PropertyGroup></Project>',
    );
    write('home/.microsoft/usersecrets/own-id/secrets.json', JSON.stringify({ 'Shop:Motto': 'plain words here' }));
    write('home/.microsoft/usersecrets/shared-id/secrets.json', JSON.stringify({ Smtp: { Pass: VALUE } }));
    const environment = { HOME: join(folder, 'home') };
    const expected = [
      { name: 'user secret Shop:Motto', value: 'plain words here', explicit: true },
      { name: 'user secret Smtp:Pass', value: VALUE, explicit: true },
    ];
    for (const project of ['src/app', 'src/app/App.csproj']) {
      expect(await secretsOfUserSecrets(join(folder, project), environment)).toEqual(expected);
    }
    expect(await secretsOfUserSecrets(join(folder, 'src/app'), {})).toEqual([]);
  });
});

describe('in traffic', () => {
  const exchange = (parts: Partial<Exchange>): Exchange => ({
    name: 'GET /',
    method: 'GET',
    path: '/',
    headers: {},
    repeat: 1,
    ...parts,
  });

  test.each<[string, Partial<Exchange>, string[]]>([
    ['a Bearer header', { headers: { authorization: `Bearer ${VALUE}` } }, [VALUE]],
    [
      'a Basic header',
      { headers: { authorization: `Basic ${Buffer.from(`user:${VALUE}`).toString('base64')}` } },
      [Buffer.from(`user:${VALUE}`).toString('base64'), `user:${VALUE}`, VALUE],
    ],
    ['an API key', { headers: { 'x-api-key': VALUE } }, [VALUE]],
    ['a functions key', { headers: { 'x-functions-key': VALUE } }, [VALUE]],
    [
      'cookies',
      { headers: { cookie: `a=${VALUE}; .AspNetCore.Culture=c%3Den; b=x%2B${VALUE}` } },
      [VALUE, `x%2B${VALUE}`, `x+${VALUE}`],
    ],
    ['a query', { path: `/callback?state=public&access_token=${VALUE}` }, [VALUE]],
    [
      'a JSON body',
      {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          user: 'u',
          password: VALUE,
          tokens: [{ token: `t${VALUE}` }],
          tokenType: 'bearer-token',
        }),
      },
      [VALUE, `t${VALUE}`],
    ],
    [
      'a form',
      { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `user=u&client_secret=a%2B${VALUE}` },
      [`a%2B${VALUE}`, `a+${VALUE}`],
    ],
    [
      'a multipart form',
      {
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: `--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n${VALUE}\r\n--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nabc\r\n--x--`,
      },
      [VALUE],
    ],
    ['a capture, which has no value yet', { headers: { authorization: 'Bearer {{token}}' } }, []],
    ['nothing', { headers: { accept: '*/*', 'idempotency-key': VALUE, 'user-agent': 'x' }, body: '{"name":"x"}' }, []],
  ])('%s', (_what, parts, expected) => {
    expect(valuesOf(secretsOfTraffic([exchange(parts)]))).toEqual(expected);
  });

  test('a multipart form without a boundary in its header, and lines in its values', () => {
    const pem = `${VALUE}\r\n${VALUE}`;
    const body = `--x y\r\nContent-Disposition: form-data; name="token"\r\n\r\n${pem}\r\n--x y--`;
    expect(
      valuesOf(secretsOfTraffic([exchange({ headers: { 'content-type': 'multipart/form-data' }, body })])),
    ).toEqual([pem]);
  });

  test('a header that goes with many requests is named by the first', () => {
    const headers = { authorization: `Bearer ${VALUE}` };
    const exchanges = ['login', 'list', 'buy'].map((name) => exchange({ name, headers }));
    expect(namesOf(secretsOfTraffic(exchanges))).toEqual(['traffic "login" authorization']);
  });

  const answer = (headers: Record<string, string>, body = ''): Answer => ({
    ...{ exchange: 'login', iteration: 0, method: 'GET', path: '/', status: 200, micros: 1, unmet: [] },
    headers,
    body: Buffer.from(body),
  });

  test('what the app gave out: cookies and tokens, but no choices and no words', () => {
    const cookie = `s1=${VALUE}9a; expires=Tue, 01 Jan 2030 00:00:00 GMT; path=/, lang=en; path=/`;
    const token = `${VALUE}9b`;
    const json = JSON.stringify({ access_token: token, token_type: 'Bearer', passwordHint: 'the usual one' });
    const answers = [answer({ 'set-cookie': cookie }), answer({ 'content-type': 'application/json' }, json)];
    expect(secretsOfAnswers([...answers, ...answers])).toEqual([
      { name: 'answer to "login" cookie s1', value: `${VALUE}9a` },
      { name: 'answer to "login" access_token', value: token },
    ]);
  });

  test('the token of a SignalR connection is known as such, and one of the same name elsewhere is not', () => {
    const json = JSON.stringify({ connectionToken: VALUE });
    const kindAt = (path: string) =>
      secretsOfAnswers([{ ...answer({ 'content-type': 'application/json' }, json), path }])[0]?.kind;
    expect(['/hub/negotiate?negotiateVersion=1', '/hub/negotiate', '/login'].map(kindAt)).toEqual([
      'signalr-token',
      'signalr-token',
      undefined,
    ]);
  });
});

describe('what is worth a search', () => {
  test.each([
    'password',
    'development',
    'Password123',
    'my-secret-key',
    'changeme!',
    '123456789',
    'abcdefgh',
    '87654321',
    'abababab',
    'aaaaaaaaaa',
    'short',
    'postgres-password',
  ])('%s is not', (value) => expect(trivialReason(value)).toBeDefined());

  test.each([VALUE, 'hunter2hunter2', 'correct-horse-battery', '1234567890x', 'Tr0ub4dor&3', 'passwortgenerator-kurt'])(
    '%s is',
    (value) => expect(trivialReason(value)).toBeUndefined(),
  );

  test('what the user named as a secret is, however plain, unless it is a mere word or too short', () => {
    for (const value of ['Password123', 'my-secret-key', 'abcdefgh'])
      expect(trivialReason(value, true)).toBeUndefined();
    for (const value of ['password', 'Production', 'aaaaaaaa', '12345678', 'abc'])
      expect(trivialReason(value, true)).toBeDefined();
  });

  test('each value once, with the names of its sources; the others are told of by name only', () => {
    const log = recordingLog();
    const secrets = [
      { name: 'environment A_TOKEN', value: VALUE },
      { name: 'secret B\n::error::x', value: VALUE, explicit: true as const },
      { name: 'environment C_TOKEN', value: 'Password123' },
    ];
    secrets.push({ name: 'appsettings.json x, environment OTHER', value: VALUE, explicit: true });
    expect(searchableSecrets(secrets, log)).toEqual([
      {
        name: 'environment A_TOKEN, secret B ::error::x, appsettings.json x environment OTHER',
        value: VALUE,
        explicit: true,
      },
    ]);
    const lines = JSON.stringify(log);
    expect(lines).toContain('environment C_TOKEN (made of common words)');
    expect(lines).not.toContain('Password123');
  });
});

describe('no text makes it slow', () => {
  test.each<[string, () => unknown]>([
    ['blanks in a connection string', () => partsOf({ name: 'n', value: `a=b;${' '.repeat(100_000)}x` })],
    ['brackets in a connection string', () => partsOf({ name: 'n', value: `a=b;${'a={;'.repeat(30_000)}` })],
    ['comments that never end', () => partsOf({ name: 'n', value: `{${'/*'.repeat(200_000)}` })],
    ['quotes that never end', () => partsOf({ name: 'n', value: `{${'\\"'.repeat(200_000)}` })],
    ['keys that never end', () => partsOf({ name: 'n', value: '-----BEGIN PRIVATE KEY-----'.repeat(50_000) })],
    [
      'parts of a form that never end',
      () => {
        const headers = { 'content-type': 'multipart/form-data' };
        const body = 'name="a"\r\n'.repeat(50_000);
        return secretsOfTraffic([{ name: 'a', method: 'POST', path: '/', repeat: 1, headers, body }]);
      },
    ],
  ])('%s', (_what, work) => {
    const start = performance.now();
    work();
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
