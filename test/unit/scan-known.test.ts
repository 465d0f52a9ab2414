import { describe, expect, test } from 'vitest';
import { knownSecretsFrom } from '../../src/scan/index.ts';
import { searchableSecrets } from '../../src/scan/known.ts';
import { random } from './scan-images.ts';

const VALUE = random(24);

function namesFrom(env: Record<string, string>) {
  return knownSecretsFrom(env).map((secret) => secret.name);
}

describe('knownSecretsFrom', () => {
  test.each([
    'DB_PASSWORD',
    'Jwt__SigningKey',
    'STRIPE_APIKEY',
    'Stripe__ApiKey',
    'API_KEY',
    'AWS_SECRET_ACCESS_KEY',
    'GITHUB_TOKEN',
    'MYSQL_PWD',
    'DB_PASSWD',
    'PRIVATE_KEY',
    'GOOGLE_CREDENTIALS',
    'STORAGE_SAS',
    'REQUEST_SIGNATURE',
    'ConnectionStrings__Cache',
  ])('%s is a secret', (name) => {
    expect(knownSecretsFrom({ [name]: VALUE })).toEqual([{ name: `environment ${name}`, value: VALUE }]);
  });

  test.each([
    ['PWD', '/srv/app/somewhere'],
    ['OLDPWD', '/srv/app/somewhere'],
    ['SSH_AUTH_SOCK', '/tmp/ssh-abc/agent.1'],
    ['DB_PASSWORD_FILE', '/run/secrets/db-password'],
    ['CREDENTIALS', '/var/lib/app/credentials.json'],
    ['TOKEN_ENDPOINT', 'https://login.example.org/oauth2/token'],
    ['PATH', '/usr/bin:/bin'],
    ['DISASTER_PLAN', VALUE],
    ['ASPNETCORE_ENVIRONMENT', 'Production'],
    ['Jwt__TokenIssuer', 'https://issuer'],
    ['ConnectionStrings__Placeholder', 'Host=db;Username=app;Password=placeholder'],
    ['ConnectionStrings__Lite', 'Data Source=app.db;Cache=Shared'],
    ['ConnectionStrings__Sql', 'Server=.;Database=app;Trusted_Connection=True'],
  ])('%s=%s is none', (name, value) => {
    expect(namesFrom({ [name]: value })).toEqual([]);
  });

  test('a connection string gives its password apart', () => {
    const value = `Host=db;Username=app;Password=${VALUE};Pooling=true`;
    expect(knownSecretsFrom({ ConnectionStrings__Default: value })).toEqual([
      { name: 'environment ConnectionStrings__Default', value },
      { name: 'environment ConnectionStrings__Default (Password)', value: VALUE },
    ]);
  });

  test('a quoted password is given without its quotes', () => {
    const secrets = knownSecretsFrom({ CONNECTIONSTRING: 'Server=db;Pwd="semi;colon and space"' });
    expect(secrets[1]?.value).toBe('semi;colon and space');
  });

  test('a URL gives its password as written and decoded, whatever its name', () => {
    const url = 'postgres://app:p%40ss-w0rd-7@db:5432/shop';
    expect(knownSecretsFrom({ DATABASE_URL: url }).map((secret) => secret.value)).toEqual([
      url,
      'p%40ss-w0rd-7',
      'p@ss-w0rd-7',
    ]);
  });

  test.each([
    [`DefaultEndpointsProtocol=https;AccountName=a;AccountKey=${random(86)}==`, `${random(86)}==`],
    [`Endpoint=sb://b/;SharedAccessKeyName=n;SharedAccessKey=${random(43)}=`, `${random(43)}=`],
    [`https://a.example/c?sv=2024&sig=${random(43)}%3D&se=2030`, `${random(43)}%3D`],
    [`cache:6379,password=${VALUE},ssl=True`, VALUE],
  ])('%s holds a credential', (value, credential) => {
    expect(knownSecretsFrom({ SETTING: value }).map((secret) => secret.value)).toEqual([value, credential]);
  });

  test('secrets from elsewhere are added as they are', () => {
    expect(knownSecretsFrom({}, [{ name: 'input canary', value: VALUE }])).toEqual([
      { name: 'input canary', value: VALUE },
    ]);
  });
});

describe('searchableSecrets', () => {
  test.each([
    ['secret1', 'shorter'],
    ['aaaaaaaaaaaaaaaa', 'one character'],
    ['Password', 'common word'],
    ['123456789', 'short number'],
    ['false', 'true or false'],
  ])('leaves out %s and tells the name only', (value, reason) => {
    const lines: string[] = [];
    const log = { ...recorder(lines) };
    expect(searchableSecrets([{ name: 'environment X_TOKEN', value }], log)).toEqual([]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('environment X_TOKEN');
    expect(lines[0]).toContain(reason);
    // "true or false" is the reason itself.
    if (value !== 'false') expect(lines[0]).not.toContain(value);
  });

  test('a value with two names is searched for once', () => {
    const secrets = ['A_TOKEN', 'B_TOKEN', 'A_TOKEN'].map((name) => ({ name, value: VALUE }));
    expect(searchableSecrets(secrets, recorder([]))).toEqual([{ name: 'A_TOKEN, B_TOKEN', value: VALUE }]);
  });

  test('ten digits are a value', () => {
    expect(searchableSecrets([{ name: 'n', value: '1234567890' }], recorder([]))).toHaveLength(1);
  });
});

function recorder(lines: string[]) {
  const add = (line: string) => void lines.push(line);
  return { info: add, warning: add, debug: add, group: <T>(_title: string, work: () => Promise<T>) => work() };
}
