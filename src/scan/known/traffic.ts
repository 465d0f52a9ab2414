import type { Answer, Exchange, KnownSecret } from '../../model/index.ts';
import { type JsonEntry, jsonEntries, parseJson } from './json.ts';
import { namesSecret } from './setting.ts';
import { looksGenerated } from './worth.ts';

/** Headers that hold a credential, though no word in their names says so. */
const SECRET_HEADER =
  /^(?:proxy-)?authorization$|(?:^|-)(?:auth|session|csrf|xsrf)(?:-|$)|(?:api|subscription|functions|access|auth|account|master|client|secret)-?key$/;

/** Cookies that hold a choice of the user's, not a credential. */
const HARMLESS_COOKIE = /culture|locale|lang|theme|consent|timezone|tempdata/i;

/** Fields whose value is a credential, in JSON, forms and queries, beyond what {@link namesSecret} knows. */
const SECRET_FIELD = /^(?:pwd|pass|pin|otp|totp|jwt|assertion|cvv|cvc|sig|(?:refresh|id|session|device)_?code)$/;

/** Names of fields that speak of tokens and passwords but hold none. */
const HARMLESS_FIELD = /(?:type|expires|expires_?in|expiry|hint|length|policy|name|url|uri|count)$/;

/** What a replay fills in; the file holds no value there. */
const PLACEHOLDER = /\{\{[^}]*\}\}/;

/** The credentials in recorded requests: headers, cookies, queries and bodies. */
export function secretsOfTraffic(exchanges: readonly Exchange[]): KnownSecret[] {
  const found = exchanges.flatMap(({ name, path, headers, body }) => {
    const secrets = [
      ...Object.entries(headers).flatMap(([header, value]) => ofHeader(header, value)),
      ...ofQuery(path),
      ...(body === undefined ? [] : ofBody(body, headers['content-type'] ?? '')),
    ];
    return secrets
      .filter(({ value }) => value !== '' && !PLACEHOLDER.test(value))
      .map(({ key, value }) => ({ key, name: `traffic "${name}" ${key}`, value }));
  });
  return firstOfEach(found);
}

/** The credentials that the app gave out while it was warmed: cookies, and tokens in headers and JSON. */
export function secretsOfAnswers(answers: readonly Answer[]): KnownSecret[] {
  const found = answers.flatMap(({ exchange, path, headers, body }) => {
    const negotiated = /\/negotiate(?:\?|$)/.test(path);
    const secrets = Object.entries(headers).flatMap(([header, value]) =>
      header === 'set-cookie' ? ofSetCookie(value) : ofHeader(header, value),
    );
    if (/json/i.test(headers['content-type'] ?? '')) secrets.push(...ofBody(body, 'json'));
    return secrets
      .filter(({ value }) => looksGenerated(value))
      .map(({ key, value }) => ({
        ...{ key, name: `answer to "${exchange}" ${key}`, value },
        ...(negotiated && key === 'connectionToken' && { kind: 'signalr-token' as const }),
      }));
  });
  return firstOfEach(found);
}

/** The same header goes with request after request; the first of them names it. */
function firstOfEach(secrets: readonly (KnownSecret & { key: string })[]): KnownSecret[] {
  const first = new Map<string, KnownSecret>();
  for (const { key, ...secret } of secrets) {
    const id = `${key}\0${secret.value}`;
    if (!first.has(id)) first.set(id, secret);
  }
  return [...first.values()];
}

function ofHeader(header: string, value: string): JsonEntry[] {
  if (header === 'cookie') {
    return value.split(';').flatMap((pair) => ofCookie(pair));
  }
  if (header === 'set-cookie') return ofSetCookie(value);
  if (!SECRET_HEADER.test(header) && !namesSecret(header)) return [];
  // `Bearer TOKEN`, `ApiKey KEY`: the credential is what follows the scheme.
  const [, scheme, credential] = /^([A-Za-z][\w-]*) +(\S.*)$/s.exec(value.trim()) ?? [];
  if (credential === undefined) return [{ key: header, value: value.trim() }];
  return [
    { key: header, value: credential },
    ...(scheme!.toLowerCase() === 'basic' ? ofBasic(header, credential) : []),
  ];
}

/** `user:password` and the password, out of the base64 of a Basic header. */
function ofBasic(header: string, credential: string): JsonEntry[] {
  const pair = Buffer.from(credential, 'base64').toString('utf8');
  const at = pair.indexOf(':');
  if (at < 0) return [];
  return [
    { key: `${header} (user and password)`, value: pair },
    { key: `${header} (password)`, value: pair.slice(at + 1) },
  ];
}

function ofCookie(pair: string): JsonEntry[] {
  const at = pair.indexOf('=');
  const name = pair.slice(0, at).trim();
  const value = pair.slice(at + 1).trim();
  if (at < 1 || HARMLESS_COOKIE.test(name)) return [];
  return withDecoded(`cookie ${name}`, value);
}

/** Several of them are joined by commas; an expiry date has one too. */
function ofSetCookie(value: string): JsonEntry[] {
  return value.split(/,\s*(?=[^\s;,=]+=)/).flatMap((cookie) => ofCookie(cookie.split(';', 1)[0]!));
}

function ofQuery(path: string): JsonEntry[] {
  const at = path.indexOf('?');
  return at < 0 ? [] : ofForm(path.slice(at + 1));
}

function ofBody(body: string | Uint8Array, contentType: string): JsonEntry[] {
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8');
  if (/x-www-form-urlencoded/i.test(contentType)) return ofForm(text);
  if (/multipart\/form-data/i.test(contentType)) return ofMultipart(text, contentType);
  return jsonEntries(parseJson(text)).filter(({ key }) => isSecretField(key));
}

/** As it is sent, and decoded. */
function ofForm(text: string): JsonEntry[] {
  return text.split('&').flatMap((pair) => {
    const at = pair.indexOf('=');
    if (at < 1 || !isSecretField(decode(pair.slice(0, at)))) return [];
    return withDecoded(decode(pair.slice(0, at)), pair.slice(at + 1));
  });
}

/** Without a boundary in the header, the body's first line tells it. */
function ofMultipart(text: string, contentType: string): JsonEntry[] {
  const [, quoted, plain] = /\bboundary=(?:"([^"]+)"|([^\s;,"]+))/i.exec(contentType) ?? [];
  const told = quoted ?? plain;
  const boundary = told === undefined ? /^\s*(--[^\r\n]+)/.exec(text)?.[1] : `--${told}`;
  if (boundary === undefined) return [];
  return text.split(boundary).flatMap((part) => {
    const blank = /\r?\n\r?\n/.exec(part);
    const name = blank && /\bname="([^"\r\n]+)"/.exec(part.slice(0, blank.index))?.[1];
    if (!blank || !name || !isSecretField(name)) return [];
    return [{ key: name, value: part.slice(blank.index + blank[0].length).replace(/\r?\n$/, '') }];
  });
}

function isSecretField(key: string): boolean {
  const name = key
    .split(':')
    .filter((segment) => !/^\d+$/.test(segment))
    .at(-1)
    ?.toLowerCase();
  return name !== undefined && !HARMLESS_FIELD.test(name) && (SECRET_FIELD.test(name) || namesSecret(name));
}

function withDecoded(key: string, value: string): JsonEntry[] {
  const plain = decode(value);
  return plain === value ? [{ key, value }] : [value, plain].map((form) => ({ key, value: form }));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
