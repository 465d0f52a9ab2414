import type { KnownSecret } from '../../model/findings.ts';
import { embeddedCredentials } from './embedded.ts';
import { jsonEntries, parseJson } from './json.ts';
import { isSecretSetting } from './setting.ts';

/**
 * The secret, and what an app may hold of it apart from the rest: the password of a connection string or URL, the
 * secret members of a JSON document, a key in PEM form without its lines' ends.
 */
export function partsOf(secret: KnownSecret): KnownSecret[] {
  const { name, value } = secret;
  const part = (what: string, text: string): KnownSecret => ({ ...secret, name: `${name} (${what})`, value: text });
  return [
    secret,
    ...embeddedCredentials(value).map((credential) => part(credential.setting, credential.value)),
    ...membersOf(value).map((member) => part(member.key, member.value)),
    ...pemBodies(value).map((body) => part('PEM', body)),
  ];
}

function membersOf(value: string): { key: string; value: string }[] {
  if (!value.trimStart().startsWith('{')) return [];
  const document = parseJson(value);
  if (document === undefined) return [];
  return jsonEntries(document).filter((entry) => isSecretSetting(entry.key, entry.value));
}

/** The base64 of private keys in one piece: apps strip the lines' ends, and files write them one way or the other. */
function pemBodies(value: string): string[] {
  const bodies = value.matchAll(/-----BEGIN [A-Z ]*PRIVATE KEY-----([\s\S]*?)-----END/g);
  return [...bodies].flatMap(([, body]) => {
    const lines = body!.split(/\r?\n|\\n/).filter((line) => /^[A-Za-z0-9+/=]{16,}$/.test(line.trim()));
    const whole = lines.map((line) => line.trim()).join('');
    return lines.length > 1 ? [whole, lines[1]!.trim()] : [];
  });
}
