import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../../src/root.ts';
import { CHECKS } from '../../../src/scan/rules/checks.ts';
import { fixOf } from '../../../src/scan/rules/fixes.ts';
import { loadRules } from '../../../src/scan/rules/load.ts';
import { longestMatch } from '../../../src/scan/rules/reach.ts';
import { RuleSet } from '../../../src/scan/rules/ruleset.ts';
import { readRuleFile } from '../../../src/scan/rules/translate.ts';
import { looksRandom, looksSecret } from '../../../src/scan/rules/words.ts';
import { ALPHANUMERIC, BASE32, HEX, LOWER, Random } from './random.ts';

const config = loadRules({ rulesDirectory: join(PROJECT_ROOT, 'rules') });
const rules = new RuleSet(config);

function hits(text: string): { id: string; secret: string; start: number }[] {
  const found: { id: string; secret: string; start: number }[] = [];
  rules.search(text, { file: 'pages-1.img' }, ({ ruleId, secret, start }) => found.push({ id: ruleId, secret, start }));
  return found;
}

const random = new Random(1);
const any = (length: number) => random.text(length);
const base64 = (length: number) => random.text(length, `${ALPHANUMERIC}+/`);
const base64url = (length: number) => random.text(length, `${ALPHANUMERIC}-_`);
const json = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${json({ alg: 'HS256', typ: 'JWT' })}.${json({ sub: 'a', exp: 2e9 })}.${base64url(43)}`;
const jwe = `${json({ alg: 'dir', enc: 'A256GCM' })}..${base64url(16)}.${base64url(80)}.${base64url(22)}`;
const password = `${any(10)}$x`;
const pemBody = (length: number, newline: string) => base64(length).replaceAll(/.{64}/g, `$&${newline}`);
const header = (kind: string) => `-----BEGIN ${kind}PRIVATE KEY-----`;
const protectedData = (length: number) => `CfDJ8${base64url(length - 5)}`;

/** Rule, the text around the secret with § in its place, the secret. */
const secrets: [rule: string, text: string, secret: string][] = [
  ['private-key', `${header('RSA ')}\n§-----END RSA PRIVATE KEY-----`, `${pemBody(1600, '\n')}\n`],
  ['private-key', `{"key":"${header('')}\\n§-----END PRIVATE KEY-----`, `${pemBody(184, '\\n')}\\n`],
  ['private-key', `${header('EC ')}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,01AB\n\n§`, pemBody(200, '\r\n')],
  ['private-key', `${header('ENCRYPTED ')}\n§`, pemBody(3200, '\n')],
  ['jwk-private-key', `{"kty":"EC","crv":"P-256","d":"§"}`, base64url(43)],
  ['jwk-private-key', `{"AdditionalData":{},"D":"§","Kty":"RSA"}`, base64url(342)],
  ['jwk-private-key', `{"k": "§", "kty": "oct", "alg": "HS256"}`, base64url(43)],
  [
    'data-protection-key',
    '<masterKey p4:requiresEncryption="true" xmlns:p4="http://schemas.asp.net/2015/03/dataProtection">\n  <!-- Warning: the key below is in an unencrypted form. -->\n  <value>§</value>\n</masterKey>',
    `${base64(86)}==`,
  ],
  ['machine-key', '<machineKey validationKey="§" decryption="AES" />', random.text(128, '0123456789ABCDEF')],
  ['connection-string', 'Server=tcp:db,1433;User Id=sa;Password=§;Encrypt=True', password],
  ['connection-string', 'Password=§;Host=db;Username=app', password],
  ['connection-string', 'Data Source=db; Initial Catalog=shop; Pwd = §', password],
  ['connection-string', 'Host=db;Password=§;Database=x', `"${password};x y"`],
  ['connection-string', 'server=db;uid=app;pwd=§;database=shop', password],
  ['connection-string', 'cache.internal:6380,password=§,ssl=True', password],
  ['connection-string', '"ConnectionStrings":{"Default":"Host=db;Username=app;Password=§"}', any(16)],
  ['connection-string', 'host=mq;virtualHost=/;username=app;password=§', password],
  ['url-password', 'postgres://app:§@db:5432/shop', password],
  ['url-password', 'amqps://app:§@mq/vhost', password],
  ['url-password', 'redis://:§@cache:6379', password],
  ['url-password', 'mongodb+srv://app:§@cluster0.mongodb.net', password],
  ['url-password', 'https://app:§@host/feed', password],
  ['azure-account-key', 'AccountName=a;AccountKey=§;EndpointSuffix=core.windows.net', `${base64(86)}==`],
  ['azure-sas', 'https://a.blob.core.windows.net/c?sv=2024-11-04&sr=c&sig=§&se=2030', `${any(42)}%2B%3D`],
  ['azure-shared-access-key', 'Endpoint=sb://b/;SharedAccessKeyName=n;SharedAccessKey=§', `${base64(43)}=`],
  ['azure-service-key', 'Endpoint=https://a.azconfig.io;Id=x-l0-s0:abc;Secret=§', `${base64(43)}=`],
  ['azure-service-key', 'Endpoint=https://a.service.signalr.net;AccessKey=§;Version=1.0;', `${base64(43)}=`],
  ['azure-key', 'functions: §', `${base64url(44)}AzFu${base64url(5)}A==`],
  ['azure-key', 'search: §', `${any(42)}AzSeB${any(5)}`],
  ['aspnet-antiforgery', '<input name="__RequestVerificationToken" type="hidden" value="§" />', protectedData(198)],
  ['aspnet-antiforgery', '__RequestVerificationToken=§&name=x', protectedData(198)],
  ['aspnet-antiforgery', 'Cookie: .AspNetCore.Antiforgery.VyLW6ORzMgk=§; a=b', protectedData(198)],
  ['aspnet-cookie', 'Cookie: .AspNetCore.Cookies=§; theme=dark', protectedData(340)],
  ['aspnet-cookie', 'set-cookie: .AspNetCore.Identity.Application=§; path=/', protectedData(500)],
  ['aspnet-cookie', '.AspNet.SharedCookie=§', protectedData(400)],
  ['aspnet-protected-data', '§', protectedData(326)],
  ['jwt', 'Authorization: Bearer §\r\nHost: x', jwt],
  ['jwt', 'token=§;', jwt],
  ['jwt', '"access_token":"§"', jwt],
  ['jwt', '§', jwe],
  ['basic-authorization', 'Authorization: Basic §', Buffer.from(`bob:${password}`).toString('base64')],
  ['bearer-authorization', 'Authorization: Bearer §', any(40)],
  ['authorization-header', 'Authorization: ApiKey §\r\nHost: x', any(32)],
  ['authorization-header', 'authorization: SharedKey account:§', `${base64(43)}=`],
  ['api-key-header', 'Host: x\r\nX-Api-Key: §\r\nAccept: */*', random.text(32, HEX)],
  ['api-key-header', 'Ocp-Apim-Subscription-Key: §', random.text(32, HEX)],
  ['api-key-header', 'x-functions-key: §', any(54)],
  ['session-cookie', 'Cookie: theme=dark; connect.sid=§; a=b', `s%3A${any(32)}.${any(43)}`],
  ['session-cookie', 'cookie: sessionid=§', random.text(32, LOWER)],
  ['form-credential', 'username=bob&password=§&remember=1', password],
  ['form-credential', 'grant_type=client_credentials&client_id=x&client_secret=§', any(40)],
  ['form-credential', 'grant_type=refresh_token&refresh_token=§', any(60)],
  ['aws-access-key-id', 'AWS_ACCESS_KEY_ID=§', `AKIA${random.text(16, BASE32)}`],
  ['aws-secret-key', 'aws_secret_access_key = §', base64(40)],
  ['aws-secret-key', '{"SecretAccessKey": "§"}', base64(40)],
  ['github-token', 'token §', `ghp_${any(36)}`],
  ['github-token', 'xyz§', `ghs_${any(36)}`],
  ['github-token', 'token §', `github_pat_${any(82)}`],
  ['gitlab-token', 'PRIVATE-TOKEN: §', `glpat-${any(20)}`],
  ['slack-token', '"§"', `xoxb-123456789012-123456789012-${any(24)}`],
  ['stripe-key', 'Stripe:§', `sk_live_${any(24)}`],
  ['google-api-key', 'key=§&q=1', `AIza${any(35)}`],
  ['npm-token', '_authToken=§', `npm_${any(36)}`],
  ['anthropic-key', 'x-api-key: §', `sk-ant-api03-${any(93)}`],
  ['openai-key', 'api-key: §', `sk-proj-${any(74)}`],
  ['openai-key', 'api-key: §', `sk-${any(20)}T3BlbkFJ${any(20)}`],
  ['nuget-key', 'X-NuGet-ApiKey: §', `oy2${random.text(43, LOWER)}`],
  ['nuget-config-credential', '<add key="ClearTextPassword" value="§" />', password],
  ['vault-service-token', 'X-Vault-Token: §', `hvs.${base64url(91)}`],
  ['vault-legacy-token', 'vault: §', `s.${any(23)}7`],
  ['sendgrid-key', 'api-key: §', `SG.${any(22)}.${any(43)}`],
  ['generic-secret-setting', '{"Payment":{"Provider":"acme","ApiKey":"§","Retries":3}}', any(40)],
  ['generic-secret-setting', '"Jwt": { "SigningKey": "§" }', `${base64(43)}=`],
  ['generic-secret-setting', "'password': '§'", password],
  ['generic-secret-setting', '"Smtp:Password": "§"', 'Winter2026!'],
  ['generic-secret-setting', 'PAYMENT__API_KEY=§', any(32)],
  ['generic-secret-setting', 'LOG_LEVEL=debug\nSERVICE_TOKEN=§\nTZ=UTC', random.text(40, HEX)],
  ['generic-secret-setting', '<add key="Shop:ClientSecret" value="§" />', any(34)],
  ['canary', 'x § y', `dscanary{${random.text(32, HEX)}}`],
];

describe('rules find', () => {
  test.each(secrets)('%s in %s', (id, text, secret) => {
    expect(hits(text.replace('§', () => secret))).toEqual([{ id, secret, start: text.indexOf('§') }]);
  });

  test('something for every rule of ours', () => {
    const ours = config.rules.filter((rule) => rule.origin === 'dotnet-snapshot').map((rule) => rule.id);
    expect(new Set(secrets.map(([id]) => id))).toEqual(new Set([...ours, 'canary']));
  });

  test('what gitleaks knows', () => {
    const token = `shpat_${random.text(32, HEX)}`;
    expect(hits(`X-Shopify: ${token} `)).toEqual([{ id: 'shopify-access-token', secret: token, start: 11 }]);
  });
});

describe('rules leave alone', () => {
  test.each([
    // Constants in every .NET process.
    '-----BEGIN PRIVATE KEY----- -----END PRIVATE KEY----- -----BEGIN RSA PRIVATE KEY-----',
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMalformed PEM: the label is not followed by base64',
    'System.Private.CoreLib, Version=10.0.0.0, Culture=neutral, PublicKeyToken=7cec85d7bea7798e',
    'Token=b03f5f7f11d50a3a',
    'yToken=b03f5f7f11d50a3a],[System.String, System.Runtime, Version=8.0.0.0, Culture=neutral, PublicKeyToken=null]]',
    'Password=;User ID=;Data Source=',
    'Server=myServer;Database=myDb;User Id=myUser;Password={0};',
    'Server=db;User Id=sa;Password=<your password>;',
    `Server=db;User Id=sa;Password=\${DB_PASSWORD};`,
    'Server=db;User Id=sa;Password=$DB_PASSWORD;',
    'Server=db;User Id=sa;Password=********;',
    'Server=db;User Id=sa;Password=changeme;',
    'The Password= keyword of the connection string sets the password; see Server= as well',
    'var user = form.user; var password = form.password; var server = location.host;',
    'if (user == null || password == null) throw new ArgumentException("password = missing");',
    'Invalid password: PasswordRequiresNonAlphanumeric, PasswordRequiresDigit, RequireConfirmedAccount',
    // Documentation.
    'postgres://user:password@localhost:5432/database',
    'https://{username}:{password}@host/',
    'http://www.w3.org/2001/XMLSchema#string and mailto:someone@example.org',
    'https://github.com/dotnet/aspnetcore/blob/main/src:something @someone',
    'WWW-Authenticate: Basic realm="dotnet", Bearer authorization_uri="https://login.example.org"',
    'Basic authentication is not supported; use the Bearer authentication scheme instead.',
    'Bearer Microsoft.AspNetCore.Authentication.JwtBearer.JwtBearerHandler',
    'Basic QWxhZGRpbjpwYXNzd29yZA==',
    'AKIAIOSFODNN7EXAMPLE and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    'eyJub3QiOiJhIGhlYWRlciJ9.eyJzdWIiOiJhIn0.abcdefghijklmnopqrstuvwxyz',
    'UseDevelopmentStorage=true;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
    'AccountKey=;SharedAccessKey=;SharedAccessSignature=;AccountEndpoint=',
    '?sv={0}&sig={1}&se={2} shared access signature sig=',
    'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx npm_install_everything_that_is_listed_here sk-live',
    'text-transform:task-background-selector-with-a-long-name sk-learn-something-entirely-different-from-a-key',
    '<masterKey><value></value></masterKey><encryptedSecret decryptorType="x"/>',
    'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
    // What an anonymous visitor is handed, and what lives for one redirect.
    `<input name="__RequestVerificationToken" type="hidden" value="${protectedData(155)}" />`,
    `Cookie: .AspNetCore.Antiforgery.VyLW6ORzMgk=${protectedData(155)}; a=b`,
    `Set-Cookie: .AspNetCore.Mvc.CookieTempDataProvider=${protectedData(220)}; path=/`,
    `Set-Cookie: .AspNetCore.Correlation.${base64url(43)}=N; path=/`,
    `cookie: theme=dark; __RequestVerificationToken=${protectedData(155)}`,
    // Settings, headers and forms without a secret.
    '"RequestVerificationToken":"__RequestVerificationToken"',
    '"token_endpoint":"https://login.example.org/oauth2/v2.0/token","TokenLifetime":"01:00:00"',
    '"PasswordHasher":"Microsoft.AspNetCore.Identity.PasswordHasherV3"',
    '"password":"password","client_secret":"<secret>","ApiKey":"your-api-key-here"',
    '"AccessTokenPath":"/run/secrets/access_token"',
    'ASPNETCORE_TOKEN_PATH=/var/run/secrets/kubernetes.io/serviceaccount/token',
    'SECRET_MANAGER_VERSION=10.0.12-servicing.26101',
    'X-Api-Key: Microsoft.AspNetCore.Http.HeaderDictionary',
    'Authorization: Microsoft.AspNetCore.Authorization.AuthorizationMiddleware',
    'Cookie: session=Microsoft.AspNetCore.Session.DistributedSession',
    '&password=encodeURIComponent(form.password.value)&token=cancellationToken',
    '"k": "not-a-key-but-some-long-name-of-a-thing-in-json"',
    'AzFu AzSe AzCa JQQJ99 APIM ACDb +ASt',
    'dscanary{not-a-canary} dscanary{} dscanary{0123}',
  ])('%s', (text) => {
    expect(hits(text)).toEqual([]);
  });
});

describe('values of the kind that generators make', () => {
  test.each([
    ['32 letters and digits', () => any(32)],
    ['32 hexadecimal digits', () => random.text(32, HEX)],
    ['32 bytes in base64', () => random.base64(32)],
    ['a password of 16 characters', () => random.password(16)],
    ['a GUID', () => random.text(32, HEX).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')],
  ])('%s are nearly always taken for secrets', (_, make) => {
    const values = Array.from({ length: 2_000 }, make);
    expect(values.filter((value) => !looksSecret(value)).length).toBeLessThan(20);
  });

  test.each([
    'Microsoft.AspNetCore.Http2',
    'refresh-token_v1',
    'AsyncTokenSource1',
    'text/html;charset=utf-8',
    'https://login.example.com/oauth2/token',
    '10.0.12-servicing.26101',
    '/usr/share/dotnet/shared',
    '00000000-0000-0000-0000-000000000000',
    'UseHTTPStrictTransport',
    'SOME_CONSTANT_NAME_42',
    `\${SECRET_FROM_VAULT}`,
    '%API_KEY%',
  ])('%s is none', (text) => {
    expect([looksSecret(text), looksRandom(text)]).toEqual([false, false]);
  });
});

describe('the rule table', () => {
  test('has a check only for rules that exist, and each of ours has one', () => {
    const ours = config.rules.filter((rule) => rule.origin === 'dotnet-snapshot');
    expect(Object.keys(CHECKS).sort()).toEqual(ours.map((rule) => rule.id).sort());
    expect(ours.filter((rule) => rule.check !== rule.id)).toEqual([]);
  });

  test('has patterns that RE2 takes', () => {
    for (const name of ['gitleaks.toml', 'dotnet.toml']) {
      const text = readFileSync(join(PROJECT_ROOT, 'rules', name), 'utf8');
      expect(readRuleFile(text, name, 'repository').warnings).toEqual([]);
    }
  });

  test('has a fix for every rule', () => {
    for (const id of ['private-key-der', 'encrypted-private-key-der', 'pfx']) expect(fixOf(id)).toMatch(/Load the key/);
    for (const { id } of config.rules) expect(fixOf(id), id).toMatch(/\w.*\.$/);
    expect(fixOf('constructor')).toBe(fixOf('stripe-key'));
  });

  test('can be cloned into a thread and is whole there', () => {
    const there = new RuleSet(structuredClone(config));
    expect(there.size).toBe(rules.size);
    expect(there.keywords).toEqual(rules.keywords);
    expect(there.keywords).toContain('dscanary');
    expect(there.hasUnkeyed).toBe(false);
  });

  test('every keyword is one that its rule’s pattern can be found by', () => {
    for (const [id, text, secret] of secrets) {
      const rule = config.rules.find((other) => other.id === id);
      if (rule === undefined) continue;
      const lower = text.replace('§', () => secret).toLowerCase();
      expect(
        rule.keywords.some((word) => lower.includes(word)),
        `${id}: ${text}`,
      ).toBe(true);
    }
  });
});

describe('rules that are applied around their keywords only', () => {
  const whole = new RuleSet({ ...config, rules: config.rules.map((rule) => ({ ...rule, isLocal: false })) });

  test.each(secrets)('%s in %s find the same deep in a text', (id, text, secret) => {
    const filler = 'key token password secret api s. ://'.repeat(2_000);
    const long = `${filler}\n${text.replace('§', () => secret)} ;${filler}`;
    const all: unknown[] = [];
    whole.search(long, { file: 'a' }, (match) => all.push([match.ruleId, match.start]));
    expect(all).toEqual([[id, filler.length + 1 + text.indexOf('§')]]);
    expect(hits(long)).toEqual([{ id, secret, start: filler.length + 1 + text.indexOf('§') }]);
  });

  test.each([
    ['abc', 3],
    ['a{2,5}b?c', 7],
    ['(?i)[a-z\\]]{3}(?:x|yy|)\\d', 6],
    ['\\bA-[[:alnum:]]{4}\\x41\\x{1F600}\\p{Lu}$', 9],
    ['(?P<name>ab){3}(?-i:c)', 7],
    ['(?:a|b{0,3})+', Number.POSITIVE_INFINITY],
    ['a{3,}', Number.POSITIVE_INFINITY],
    ['(?:^|\\b)*a', 1],
    ['[^]]x', 2],
  ])('%s matches at most %d characters', (pattern, longest) => {
    expect(longestMatch(pattern)).toBe(longest);
  });

  test('only those of gitleaks whose patterns hold the keyword', () => {
    const elsewhere = config.rules.filter((rule) => rule.origin === 'gitleaks' && !rule.isLocal).map(({ id }) => id);
    expect(elsewhere).toEqual(
      expect.arrayContaining(['airtable-personnal-access-token', 'cloudflare-origin-ca-key', 'facebook-access-token']),
    );
    expect(elsewhere).toContain('sourcegraph-access-token');
    expect(elsewhere.length).toBeLessThan(12);
  });
});

test('copies of one secret leave room for others', () => {
  const other = `${json({ alg: 'HS256', typ: 'JWT' })}.${json({ sub: 'b', exp: 2e9 })}.${base64url(43)}`;
  const found = hits(`${`${jwt} `.repeat(1_500)}${other} `);
  expect(found).toHaveLength(1_501);
  expect(found.at(-1)?.secret).toBe(other);
});

describe('a secret far longer than others', () => {
  const long = (size: number) =>
    `${json({ alg: 'HS256', typ: 'JWT' })}.${json({ sub: base64url(size) })}.${base64url(43)}`;

  test.each([
    ['jwt', 'Authorization: Bearer §\r\n', long(13_000)],
    ['jwt', 'Authorization: Bearer §\r\n', long(30_000)],
    ['bearer-authorization', 'Authorization: Bearer §\r\n', base64(40_000)],
    ['private-key', `${header('')}\n§-----END PRIVATE KEY-----`, `${pemBody(20_032, '\n')}\n`],
  ])('%s in %s', (id, text, secret) => {
    const filler = 'filler text '.repeat(10_000);
    expect(hits(`${filler}${text.replace('§', () => secret)}${filler}`)).toEqual([
      { id, secret, start: filler.length + text.indexOf('§') },
    ]);
  });
});

describe('text made to make patterns retry', () => {
  test.each([
    'eyJ-',
    `${'eyJ'}${'a'.repeat(20_000)}`,
    `token=${'a'.repeat(17_000)} `,
    'eyJhbGciOi.',
    '://a:',
    'password=a;',
    'server=a;',
    '-----BEGIN PRIVATE KEY-----\n',
    'Basic a',
    'sig=%',
    '"password":"',
    'token: token=',
    'endpoint=https://a;a;',
    '<masterKey><!-- ',
    'cookie: session_',
    'CfDJ8.aspnetcore.a',
    'authorization: a a=',
  ])('%s is searched in time', (piece) => {
    const started = performance.now();
    hits(piece.repeat(Math.ceil(150_000 / piece.length)));
    expect(performance.now() - started).toBeLessThan(10_000);
  });
});
