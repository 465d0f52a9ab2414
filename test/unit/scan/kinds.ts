import { ecKey, pem, pfx, rsaKey, rsaKeyInfo } from './der.ts';
import { ALPHANUMERIC, BASE32, HEX, LOWER, type Random } from './random.ts';

/** A secret and the text or bytes that an app holds it in. */
export interface Planted {
  /** What is in memory, before any encoding. */
  plain: string | Buffer;
  /** The part that nobody may see. */
  secret: string | Buffer;
  /** The build knows the value: it is given to the scan. */
  known?: true;
}

/** A kind of secret, and a fresh one of it. */
export interface Kind {
  name: string;
  make(random: Random): Planted;
}

/** A text with one secret in it. */
function text(name: string, secretOf: (random: Random) => string, around: (secret: string) => string): Kind {
  return {
    name,
    make(random) {
      const secret = secretOf(random);
      return { plain: around(secret), secret };
    },
  };
}

function bytes(name: string, make: (random: Random) => Buffer): Kind {
  return {
    name,
    make(random) {
      const secret = make(random);
      return { plain: secret, secret };
    },
  };
}

function known(name: string, make: (random: Random) => string): Kind {
  return {
    name,
    make(random) {
      const secret = make(random);
      return { plain: secret, secret, known: true };
    },
  };
}

const itself = (secret: string) => secret;
const json = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const password = (random: Random) => random.password();
const urlPassword = (random: Random) => random.password(18, '-_.~');
const protectedData = (random: Random) => `CfDJ8${random.text(219, `${ALPHANUMERIC}-_`)}`;

function jwt(random: Random): string {
  const issued = 1_700_000_000 + random.below(10_000_000);
  const claims = {
    sub: String(random.below(1e9)),
    name: 'J. Doe',
    iat: issued,
    exp: issued + 3600,
    jti: random.text(16),
  };
  return `${json({ alg: 'HS256', typ: 'JWT' })}.${json(claims)}.${random.bytes(32).toString('base64url')}`;
}

/** Secrets that a rule has to know by their form. */
const BY_RULE: readonly Kind[] = [
  text('JWT', jwt, itself),
  text(
    'SQL Server connection string',
    password,
    (secret) =>
      `Server=tcp:shop.database.windows.net,1433;Initial Catalog=shop;User ID=app;Password=${secret};Encrypt=True`,
  ),
  text(
    'Npgsql connection string',
    password,
    (secret) => `Host=db.internal;Port=5432;Username=shop;Password=${secret};Database=shop;Pooling=true`,
  ),
  text('MySQL connection string', password, (secret) => `server=db.internal;uid=shop;pwd=${secret};database=shop`),
  text(
    'MongoDB URL',
    urlPassword,
    (secret) => `mongodb+srv://shop:${secret}@cluster0.ab1cd.mongodb.net/shop?retryWrites=true&w=majority`,
  ),
  text(
    'Redis configuration',
    password,
    (secret) => `cache.internal:6380,password=${secret},ssl=True,abortConnect=False`,
  ),
  text('RabbitMQ URL', urlPassword, (secret) => `amqps://shop:${secret}@queue.internal:5671/orders`),
  text(
    'Azure account key',
    (random) => random.base64(64),
    (secret) =>
      `DefaultEndpointsProtocol=https;AccountName=shopfiles;AccountKey=${secret};EndpointSuffix=core.windows.net`,
  ),
  text(
    'Azure SAS',
    (random) => encodeURIComponent(random.base64(32)),
    (secret) =>
      `https://shopfiles.blob.core.windows.net/images?sv=2024-11-04&ss=b&srt=co&sp=rl&se=2027-01-01T00:00:00Z&sig=${secret}`,
  ),
  text(
    'Service Bus connection string',
    (random) => random.base64(32),
    (secret) =>
      `Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey=${secret}`,
  ),
  text('GitHub token', (random) => `ghp_${random.text(36)}`, itself),
  {
    name: 'AWS key pair',
    make(random) {
      const id = `AKIA${random.text(16, BASE32)}`;
      const secret = random.text(40, `${ALPHANUMERIC}+/`);
      return { plain: `AWS_ACCESS_KEY_ID=${id}\nAWS_SECRET_ACCESS_KEY=${secret}\n`, secret };
    },
  },
  text('PEM of an EC key', () => pem('PRIVATE KEY', ecKey('pkcs8')), itself),
  text('PEM of an RSA key', (random) => pem('RSA PRIVATE KEY', rsaKey(random), '\r\n'), itself),
  text(
    'data-protection key',
    (random) => random.base64(64),
    (secret) =>
      [
        '<key id="f3ad5f1c-3c5e-4f43-9d5e-0d6e2b6a7c11" version="1">',
        '  <creationDate>2026-11-01T08:00:00.0000000Z</creationDate>',
        '  <descriptor deserializerType="Microsoft.AspNetCore.DataProtection.AuthenticatedEncryption.ConfigurationModel.AuthenticatedEncryptorDescriptorDeserializer, Microsoft.AspNetCore.DataProtection">',
        '    <descriptor>',
        '      <encryption algorithm="AES_256_CBC" />',
        '      <validation algorithm="HMACSHA256" />',
        '      <masterKey p4:requiresEncryption="true" xmlns:p4="http://schemas.asp.net/2015/03/dataProtection">',
        '        <!-- Warning: the key below is in an unencrypted form. -->',
        `        <value>${secret}</value>`,
        '      </masterKey>',
        '    </descriptor>',
        '  </descriptor>',
        '</key>',
      ].join('\n'),
  ),
  text('ASP.NET cookie', protectedData, (secret) => `Cookie: .AspNetCore.Identity.Application=${secret}; theme=dark`),
  text(
    'antiforgery token',
    protectedData,
    (secret) => `<input name="__RequestVerificationToken" type="hidden" value="${secret}" />`,
  ),
  text(
    'Basic header',
    (random) => Buffer.from(`shop:${random.password(22)}`).toString('base64'),
    (secret) => `Authorization: Basic ${secret}`,
  ),
  text(
    'Bearer header',
    (random) => random.text(43, `${ALPHANUMERIC}-_`),
    (secret) => `Authorization: Bearer ${secret}`,
  ),
  text(
    'API-key header',
    (random) => random.text(32, HEX),
    (secret) => `Host: api.example.com\r\nX-Api-Key: ${secret}\r\nAccept: */*`,
  ),
  text(
    'JSON setting',
    (random) => random.text(40),
    (secret) => `{"Payment":{"Provider":"acme","ApiKey":"${secret}","Retries":3}}`,
  ),
  text(
    'NuGet key',
    (random) => `oy2${random.text(43, LOWER)}`,
    (secret) => `X-NuGet-ApiKey: ${secret}`,
  ),
];

/** Keys in the form that programs load, without a letter of text. */
const BINARY: readonly Kind[] = [
  bytes('PKCS#8 of an EC key', () => ecKey('pkcs8')),
  bytes('PKCS#8 of an RSA key', rsaKeyInfo),
  bytes('PKCS#1', rsaKey),
  bytes('SEC1', () => ecKey('sec1')),
  bytes('PFX', pfx),
];

/** Values that have no form at all: only the build's knowledge finds them. */
const KNOWN: readonly Kind[] = [
  known('known password', (random) => random.password(20, '"\'+&<>\\/%=;`')),
  known('known value with umlauts', (random) => `${random.password(9)}Ü${random.password(9)}ßé`),
  known('known passphrase', (random) => {
    const words = ['violet', 'harbour', 'lantern', 'orchard', 'pebble'];
    return words.map((word) => `${word}${random.below(1000)}`).join(' ');
  }),
  known('known value of two lines', (random) => `${random.text(14)}\n${random.text(14)}`),
  known('known value of eight characters', (random) => `${random.text(7)}!`),
  known('known key in base64', (random) => random.base64(33)),
];

export const KINDS: readonly Kind[] = [...BY_RULE, ...BINARY, ...KNOWN];
