import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, randomInt, randomUUID } from 'node:crypto';
import { pemLines } from '../scan/known/parts.ts';

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();

/** Those that end no value in a URL or connection string. */
const SYMBOLS = '!*-._~';

/** What tokens of well-known services begin with, before a long random part: it is no secret, and clients look at it. */
const TOKEN_PREFIX = /^(?:[A-Za-z]{2,8}[_-]){1,3}(?=[A-Za-z0-9]{16,}$)|^(?:AKIA|ASIA)(?=[A-Z0-9]{16}$)/;

const GUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const PEM = /-----BEGIN ([A-Z ]*)PRIVATE KEY-----[\s\S]*?-----END \1PRIVATE KEY-----/;

/**
 * A random text of the same form as a secret, which libraries take for one: a private key in PEM form is another of its
 * kind, a JSON Web Token has its header, base64 decodes to as many bytes, hex and GUIDs stay so; everything else keeps
 * its length and which characters are letters and digits. Never the secret itself.
 */
export function fakeOf(secret: string): string {
  const fake = isToken(secret) ? fakeToken(secret) : secret.replaceAll(new RegExp(PEM, 'g'), fakePem);
  if (fake !== secret) return fake;
  return another(secret, () => {
    if (GUID.test(secret)) return sameCase(secret, randomUUID());
    if (/^(?:[0-9a-f]{2}){8,}$/i.test(secret) && /[a-f]/i.test(secret))
      return sameCase(secret, randomBytes(secret.length / 2).toString('hex'));
    return fakeBase64(secret) ?? fakeText(secret);
  });
}

/** Not the secret itself, which chance may make of a short one. */
function another(secret: string, make: () => string): string {
  let fake = make();
  while (fake === secret && secret !== '') fake = make();
  return fake;
}

function sameCase(secret: string, fake: string): string {
  return /[A-F]/.test(secret) ? fake.toUpperCase() : fake;
}

/** Undefined for what can be written without knowing base64: letters and digits alone decode as well when exchanged. */
function fakeBase64(secret: string): string | undefined {
  const match = /^([A-Za-z0-9+/]{8,}|[A-Za-z0-9_-]{8,})(={0,2})$/.exec(secret);
  if (!match) return undefined;
  const [, body, padding] = match;
  const standard = /[+/]/.test(body!);
  // Words joined by hyphens are no base64url.
  if (!standard && !padding) return undefined;
  if (padding && secret.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(body!, 'base64').length;
  const fake = randomBytes(bytes).toString(/[_-]/.test(body!) ? 'base64url' : 'base64');
  return fake.replace(/=+$/, '') + padding;
}

function fakeText(secret: string): string {
  const prefix = TOKEN_PREFIX.exec(secret)?.[0] ?? '';
  const letters = [...secret.slice(prefix.length)];
  // Of a text that is mostly symbols, those are the secret.
  const isSymbols = letters.filter((letter) => /[\p{L}\d]/u.test(letter)).length <= letters.length / 2;
  const rest = letters.map((letter) => {
    if (isSymbols && !/[\p{L}\d]/u.test(letter)) return pick(SYMBOLS);
    if (/\d/.test(letter)) return pick(DIGITS);
    if (/[a-z]/.test(letter)) return pick(LOWER);
    if (/[A-Z]/.test(letter)) return pick(UPPER);
    // A letter of another script would take another number of bytes.
    return /\p{L}/u.test(letter) ? pick(letter === letter.toLowerCase() ? LOWER : UPPER) : letter;
  });
  return prefix + rest.join('');
}

function pick(letters: string): string {
  return letters[randomInt(letters.length)]!;
}

function isToken(text: string): boolean {
  const parts = text.split('.');
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) return false;
  return typeof objectIn(parts[0]!)?.alg === 'string' && objectIn(parts[1]!) !== undefined;
}

function objectIn(segment: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString());
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Times and other numbers stay: an app may look at when a token ends. */
function fakeToken(token: string): string {
  const [header, payload, signature] = token.split('.') as [string, string, string];
  const claims = JSON.stringify(objectIn(payload), (_key, value: unknown) =>
    typeof value === 'string' ? fakeText(value) : value,
  );
  const bytes = Buffer.from(signature, 'base64url').length;
  return `${header}.${Buffer.from(claims).toString('base64url')}.${randomBytes(bytes).toString('base64url')}`;
}

/** Another key of the same kind and form. Of one that can't be read, such as an encrypted one, only the letters change. */
function fakePem(block: string): string {
  try {
    const key = createPrivateKey(block.replaceAll('\\r', '').replaceAll('\\n', '\n'));
    const type = /BEGIN RSA/.test(block) ? 'pkcs1' : /BEGIN EC/.test(block) ? 'sec1' : 'pkcs8';
    const text = String(anotherKey(key).export({ format: 'pem', type: type as 'pkcs8' })).trimEnd();
    const [end = '\n'] = /\r?\n|(?:\\r)?\\n/.exec(block) ?? [];
    return text.replaceAll('\n', () => end);
  } catch {
    return pemLines(block)
      .flat()
      .reduce((text, line) => text.replace(line, () => fakeText(line)), block);
  }
}

function anotherKey(key: KeyObject): KeyObject {
  const details = key.asymmetricKeyDetails;
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: details!.modulusLength! }).privateKey;
    case 'ec':
      return generateKeyPairSync('ec', { namedCurve: details!.namedCurve! }).privateKey;
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey;
    case 'ed448':
      return generateKeyPairSync('ed448').privateKey;
    case 'x25519':
      return generateKeyPairSync('x25519').privateKey;
    case 'x448':
      return generateKeyPairSync('x448').privateKey;
    default:
      throw new TypeError(`no key of the kind ${key.asymmetricKeyType}`);
  }
}
