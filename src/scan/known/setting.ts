import { looksSecret } from '../rules/words.ts';
import { embeddedCredentials, isConnectionString } from './embedded.ts';
import { looksGenerated, trivialReason } from './worth.ts';

/** Anywhere in a name, what joins its words aside. */
const SECRET_WORD =
  /secret|token|password|passwd|passphrase|credential|signature|apikey|(?:access|account|private|master|signing|encryption|shared|storage|license|functions|subscription|symmetric|client|webhook|hmac|machine)key|connectionstring/;

/** Only as a word of its own: `SAS` is one, `DISASTER` is not. */
const SECRET_PART = /(?:^|[_.:-])(?:pwd|pass|pat|sas|private)(?:$|[_.:-])/;

/** The working directory, and names that say their value is a place or a setting and not the secret itself. */
const NOT_SECRET_NAME =
  /^(?:old)?pwd$|(?:file|path|dir|directory|sock|socket|name|issuer|audience|lifetime|expiry|expiration|expires|expires_?in|timeout|length|size|_count|type|algorithm|endpoint|enabled|required|provider|header|scheme|version|url|uri|hint|policy|(?:client|tenant|user|key|token|object)_?id)$/;

const ABSOLUTE_PATH =
  /^(?:\/(?:app|certs?|config|data|dev|etc|github|home|keys|mnt|opt|proc|root|run|secrets|srv|sys|tmp|usr|var|workspace|__w)\/[^\s;,]*|[A-Za-z]:\\[^;,]*)$/;

/** A URL with neither a user nor a query names a place. */
const PLAIN_URL = /^[a-z][a-z0-9+.-]*:\/\/[^@?\s]*$/i;

/** Ends like a setting, but its value is half of a credential. */
const SECRET_DESPITE_ENDING = /access_?key_?id$/;

/** Sections of a configuration whose every value is a secret. */
const SECRET_SECTION = /^(?:connectionstrings?|secrets?|passwords?|credentials?|api[_-]?keys?|access[_-]?tokens?)$/;

/**
 * True where a setting's name or form says that its value is a secret. The name may be that of a variable
 * (`Jwt__SigningKey`) or of a configuration key (`Jwt:SigningKey`).
 */
export function isSecretSetting(name: string, value: string): boolean {
  if (value.trim() === '') return false;
  const credentials = embeddedCredentials(value);
  // With a credential such as `Password=placeholder`, the rest of a connection string is no secret either.
  if (credentials.length > 0) return credentials.some((credential) => trivialReason(credential.value) === undefined);
  const lower = name.toLowerCase();
  if (ABSOLUTE_PATH.test(value) || PLAIN_URL.test(value)) return false;
  if (NOT_SECRET_NAME.test(lower) && !SECRET_DESPITE_ENDING.test(lower)) return false;
  // Without a credential in it, a connection string such as `Data Source=app.db;Cache=Shared` is no secret.
  if (isConnectionString(value)) return false;
  const segments = lower.split(/:|__/);
  if (namesSecret(segments.at(-1)!)) return true;
  const sections = segments.slice(0, -1);
  // `TokenProvider:Seed` may hold a key, `TokenValidation:Level` a word: only the value itself tells the two apart.
  return sections.some((section) => SECRET_SECTION.test(section) || (namesSecret(section) && looksGenerated(value)));
}

/** Sections whose members have names of their own, however those look. */
const NAMED_SECTION = /^connectionstrings?$/;

/**
 * A setting's name as it can be shown. Keys that a configuration lists by themselves, as `ApiKeys:<key>` = `customer`, are
 * no names but `hidden`: they are secrets.
 */
export function shownName(name: string): { shown: string; hidden: string[] } {
  const hidden: string[] = [];
  let isListed = false;
  const shown = name.replaceAll(/(.*?)(__|:|$)/gs, (whole: string, segment: string, joint: string) => {
    const isKey = isListed && looksGenerated(segment) && looksSecret(segment);
    if (isKey) hidden.push(segment);
    const lower = segment.toLowerCase();
    isListed ||= !NAMED_SECTION.test(lower) && (SECRET_SECTION.test(lower) || namesSecret(lower));
    return isKey ? `*${joint}` : whole;
  });
  return { shown, hidden };
}

/** True for a name, or a part of one, that a secret would go by. */
export function namesSecret(lower: string): boolean {
  return SECRET_WORD.test(lower.replaceAll(/[_-]/g, '')) || SECRET_PART.test(lower);
}
