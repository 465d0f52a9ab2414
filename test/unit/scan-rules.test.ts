import { describe, expect, test } from 'vitest';
import { KNOWN_RULES, RULES } from '../../src/scan/rules.ts';
import { RuleSearch } from '../../src/scan/rulesearch.ts';
import { random } from './scan-images.ts';

const search = new RuleSearch(RULES);

function hits(text: string): { id: string; secret: string; start: number }[] {
  const found: { id: string; secret: string; start: number }[] = [];
  search.searchRun(text, ({ rule, secret, start }) => found.push({ id: rule.id, secret, start }));
  return found;
}

const base64 = (length: number) => random(length, `${alphanumeric}+/`);
const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const lower = 'abcdefghijklmnopqrstuvwxyz0123456789';
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const json = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${json({ alg: 'HS256', typ: 'JWT' })}.${json({ sub: 'a', exp: 2e9 })}.${random(43)}`;
const password = `${random(10)}$x`;
const pemBody = (length: number, newline: string) => base64(length).replaceAll(/.{64}/g, `$&${newline}`);
const header = (kind: string) => `-----BEGIN ${kind}PRIVATE KEY-----`;

/** Rule, the text around the secret with § in its place, the secret. */
const secrets: [rule: string, text: string, secret: string][] = [
  ['private-key', `${header('RSA ')}\n§-----END RSA PRIVATE KEY-----`, `${pemBody(1600, '\n')}\n`],
  ['private-key', `{"key":"${header('')}\\n§-----END PRIVATE KEY-----`, `${pemBody(184, '\\n')}\\n`],
  ['private-key', `${header('EC ')}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,01AB\n\n§`, pemBody(200, '\r\n')],
  ['jwt', 'Authorization: Bearer §\r\nHost: x', jwt],
  ['jwt', 'token=§;', jwt],
  ['connection-string', 'Server=tcp:db,1433;User Id=sa;Password=§;Encrypt=True', password],
  ['connection-string', 'Password=§;Host=db;Username=app', password],
  ['connection-string', 'Data Source=db; Initial Catalog=shop; Pwd = §', password],
  ['connection-string', 'Host=db;Password=§;Database=x', `"${password};x y"`],
  ['connection-string', 'cache.internal:6380,password=§,ssl=True', password],
  ['url-password', 'postgres://app:§@db:5432/shop', password],
  ['url-password', 'amqps://app:§@mq/vhost', password],
  ['url-password', 'redis://:§@cache:6379', password],
  ['url-password', 'mongodb+srv://app:§@cluster0.mongodb.net', password],
  ['url-password', 'https://app:§@host/feed', password],
  ['azure-account-key', 'AccountName=a;AccountKey=§;EndpointSuffix=core.windows.net', `${base64(86)}==`],
  ['azure-sas', 'https://a.blob.core.windows.net/c?sv=2024-11-04&sr=c&sig=§&se=2030', `${random(42)}%2B%3D`],
  ['azure-shared-access-key', 'Endpoint=sb://b/;SharedAccessKeyName=n;SharedAccessKey=§', `${base64(43)}=`],
  ['aws-access-key-id', 'AWS_ACCESS_KEY_ID=§', `AKIA${random(16, upper)}`],
  ['aws-secret-key', 'aws_secret_access_key = §', base64(40)],
  ['aws-secret-key', '{"SecretAccessKey": "§"}', base64(40)],
  ['github-token', 'token §', `ghp_${random(36)}`],
  ['github-token', 'token §', `gho_${random(36)}`],
  ['github-token', 'token §', `ghs_${random(36)}`],
  ['github-token', 'token §', `github_pat_${random(82)}`],
  ['gitlab-token', 'PRIVATE-TOKEN: §', `glpat-${random(20)}`],
  ['slack-token', '"§"', `xoxb-123456789012-123456789012-${random(24)}`],
  ['stripe-key', 'Stripe:§', `sk_live_${random(24)}`],
  ['google-api-key', 'key=§&q=1', `AIza${random(35)}`],
  ['npm-token', '_authToken=§', `npm_${random(36)}`],
  ['anthropic-key', 'x-api-key: §', `sk-ant-api03-${random(93)}`],
  ['openai-key', 'api-key: §', `sk-proj-${random(74)}`],
  ['openai-key', 'api-key: §', `sk-${random(20)}T3BlbkFJ${random(20)}`],
  ['nuget-key', 'X-NuGet-ApiKey: §', `oy2${random(43, lower)}`],
  ['sendgrid-key', 'api-key: §', `SG.${random(22)}.${random(43)}`],
  [
    'data-protection-key',
    '<masterKey p4:requiresEncryption="true" xmlns:p4="http://schemas.asp.net/2015/03/dataProtection">\n  <!-- Warning: the key below is in an unencrypted form. -->\n  <value>§</value>\n</masterKey>',
    `${base64(86)}==`,
  ],
  ['basic-authorization', 'Authorization: Basic §', Buffer.from(`bob:${password}`).toString('base64')],
  ['bearer-authorization', 'Authorization: Bearer §', random(40)],
];

describe('rules find', () => {
  test.each(secrets)('%s in %s', (id, text, secret) => {
    expect(hits(text.replace('§', () => secret))).toEqual([{ id, secret, start: text.indexOf('§') }]);
  });

  test('something for every rule', () => {
    expect(new Set(secrets.map(([id]) => id))).toEqual(new Set(RULES.map((rule) => rule.id)));
  });
});

describe('rules leave alone', () => {
  test.each([
    // Constants in every .NET process.
    '-----BEGIN PRIVATE KEY----- -----END PRIVATE KEY----- -----BEGIN RSA PRIVATE KEY-----',
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMalformed PEM: the label is not followed by base64',
    'System.Private.CoreLib, Version=10.0.0.0, Culture=neutral, PublicKeyToken=7cec85d7bea7798e',
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
  ])('%s', (text) => {
    expect(hits(text)).toEqual([]);
  });
});

describe('the rule table', () => {
  test('has unique ids, and patterns and keywords as the search needs them', () => {
    const ids = [...KNOWN_RULES, ...RULES].map((rule) => rule.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const rule of RULES) {
      expect(rule.pattern.flags, rule.id).toMatch(/^dgi?$/);
      expect(rule.keywords.join(), rule.id).toBe(rule.keywords.join().toLowerCase());
    }
  });

  test('stays fast on text made to make patterns retry', () => {
    const started = performance.now();
    for (const piece of [
      'eyJ-',
      '://a:',
      'password=a;',
      'server=a;',
      '-----BEGIN PRIVATE KEY-----\n',
      'Basic a',
      'sig=%',
    ]) {
      hits(piece.repeat(50_000));
    }
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
