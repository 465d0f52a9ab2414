import type { KnownSecret } from '../../model/findings.ts';
import { bare, embeddedCredentials } from './embedded.ts';
import { jsonEntries, parseJson } from './json.ts';
import { isSecretSetting, shownName } from './setting.ts';

/** The credential behind an authorization scheme, as variables hold whole headers. */
const AUTHORIZATION =
  /^(?:(?:proxy-)?authorization\s*[:=]\s*)?(basic|bearer|bot|dpop|jwt|key|negotiate|oauth|api-?key|token|shared(?:accesssignature|key(?:lite)?)) +(\S+)$/i;

/**
 * The secret, and what an app may hold of it apart from the rest: the value without blanks, quotes and an authorization
 * scheme around it, the password of a connection string or URL, the secret members of a JSON document, with theirs again,
 * a key in PEM form without its lines' ends.
 */
export function partsOf(secret: KnownSecret): KnownSecret[] {
  return [secret, ...ownParts(secret), ...membersOf(secret).flatMap((member) => [member, ...ownParts(member)])];
}

function ownParts(secret: KnownSecret): KnownSecret[] {
  const { value } = secret;
  return [
    ...plainForms(value).map((form) => part(secret, 'plain', form)),
    ...embeddedCredentials(value).map((credential) => part(secret, credential.setting, credential.value)),
    ...pemBodies(value).map((body) => part(secret, 'PEM', body)),
  ];
}

function part(secret: KnownSecret, what: string, value: string): KnownSecret {
  return { ...secret, name: `${secret.name} (${what})`, value };
}

/** A client trims a value that was read from a file, and puts its own scheme before it. */
function plainForms(value: string): string[] {
  const text = bare(value);
  const [, scheme, credential] = AUTHORIZATION.exec(text) ?? [];
  const decoded = scheme?.toLowerCase() === 'basic' ? Buffer.from(credential!, 'base64').toString('utf8') : '';
  const pair = decoded.includes(':') ? [decoded, decoded.slice(decoded.indexOf(':') + 1)] : [];
  const forms = [value.trim(), text, ...(credential === undefined ? [] : [credential]), ...pair];
  return [...new Set(forms)].filter((form) => form !== value && form !== '');
}

function membersOf(secret: KnownSecret): KnownSecret[] {
  const text = bare(secret.value);
  if (!text.startsWith('{')) return [];
  const document = parseJson(text);
  if (document === undefined) return [];
  return jsonEntries(document)
    .filter(({ key, value }) => isSecretSetting(key, value))
    .map(({ key, value }) => part(secret, shownName(key).shown, value));
}

/** The base64 of private keys in one piece: apps strip the lines' ends, and files write them one way or the other. */
function pemBodies(value: string): string[] {
  return pemLines(value).flatMap((lines) => (lines.length > 1 ? [lines.join(''), lines[1]!] : []));
}

/** The lines of base64 of each private key in PEM form, however the text writes the lines' ends: `\n` in letters too. */
export function pemLines(text: string): string[][] {
  const bodies: string[] = [];
  for (const head of text.matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----/g)) {
    const from = head.index + head[0].length;
    const end = text.indexOf('-----END', from);
    if (end < 0) break;
    bodies.push(text.slice(from, end));
  }
  return bodies.map((body) => body.split(/(?:\s|\\[rn])+/).filter((line) => /^[A-Za-z0-9+/=]{16,}$/.test(line)));
}
