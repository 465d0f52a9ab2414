import type { Log } from '../log.ts';
import type { KnownSecret } from '../model/findings.ts';
import { embeddedCredentials, isConnectionString } from './embedded.ts';
import { MIN_RUN } from './runs.ts';

/** Values shorter than this, in characters, would be found by chance. */
const MIN_LENGTH = MIN_RUN;

/** Words that clean processes hold anyway. */
const COMMON_WORDS = new Set(
  `administrator changeit changeme connectionstring development disabled localhost optional password
   placeholder postgres postgresql production required undefined username`.split(/\s+/),
);

/** Anywhere in a name, underscores aside. */
const SECRET_WORD =
  /secret|token|password|passwd|passphrase|credential|signature|apikey|(?:access|account|private|master|signing|encryption|shared|storage|license)key|connectionstring/;

/** Only as a word of its own: `SAS` is one, `DISASTER` is not. */
const SECRET_PART = /(?:^|[_.:-])(?:pwd|pass|pat|sas|private)(?:$|[_.:-])/;

/** The working directory, and names that say their value is a place and not the secret itself. */
const NOT_SECRET_NAME = /^(?:old)?pwd$|(?:file|path|dir|directory|sock|socket|name|issuer|audience|lifetime|expiry)$/;

const ABSOLUTE_PATH =
  /^(?:\/(?:app|certs?|config|data|dev|etc|github|home|keys|mnt|opt|proc|root|run|secrets|srv|sys|tmp|usr|var|workspace|__w)\/[^\s;,]*|[A-Za-z]:\\[^;,]*)$/;

/** A URL with neither a user nor a query names a place. */
const PLAIN_URL = /^[a-z][a-z0-9+.-]*:\/\/[^@?\s]*$/i;

/**
 * The secrets among environment variables, by name and by form, then `extra`. A connection string or URL gives its
 * password as an entry of its own, since apps hold it apart from the rest. Entry names read like
 * `environment DB_PASSWORD`.
 */
export function knownSecretsFrom(env: Record<string, string>, extra: KnownSecret[] = []): KnownSecret[] {
  const fromEnvironment = Object.entries(env)
    .filter(([name, value]) => isSecretSetting(name, value))
    .map(([name, value]) => ({ name: `environment ${name}`, value }));
  return [...fromEnvironment, ...extra].flatMap((secret) => [
    secret,
    ...embeddedCredentials(secret.value).map(({ setting, value }) => ({ name: `${secret.name} (${setting})`, value })),
  ]);
}

function isSecretSetting(name: string, value: string): boolean {
  const credentials = embeddedCredentials(value);
  // With a credential such as `Password=placeholder`, the rest of a connection string is no secret either.
  if (credentials.length > 0) return credentials.some((credential) => trivialReason(credential.value) === undefined);
  const lower = name.toLowerCase();
  if (NOT_SECRET_NAME.test(lower) || ABSOLUTE_PATH.test(value) || PLAIN_URL.test(value)) return false;
  // Without a credential in it, a connection string such as `Data Source=app.db;Cache=Shared` is no secret.
  if (isConnectionString(value)) return false;
  return SECRET_WORD.test(lower.replaceAll(/[_-]/g, '')) || SECRET_PART.test(lower);
}

/**
 * The known secrets that are worth a literal search, each value once with the names of all its sources.
 * A trivial value is left out and told of in the log, by name only.
 */
export function searchableSecrets(secrets: KnownSecret[], log: Log): KnownSecret[] {
  const namesByValue = new Map<string, Set<string>>();
  for (const { name, value } of secrets) {
    const reason = trivialReason(value);
    if (reason !== undefined) log.info(`Not searched for: ${name} (${reason}).`);
    else namesByValue.set(value, (namesByValue.get(value) ?? new Set()).add(name));
  }
  return [...namesByValue].map(([value, names]) => ({ name: [...names].join(', '), value }));
}

function trivialReason(value: string): string | undefined {
  if (/^\d{1,9}$/.test(value)) return 'a short number';
  if (/^(?:true|false)$/i.test(value)) return 'true or false';
  if (value.length < MIN_LENGTH) return `shorter than ${MIN_LENGTH} characters`;
  if (/^(.)\1*$/s.test(value)) return 'one character repeated';
  if (COMMON_WORDS.has(value.toLowerCase())) return 'a common word';
  return undefined;
}
