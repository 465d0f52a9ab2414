import { entropy } from '../entropy.ts';
import type { PatternMatch } from './pattern.ts';
import { isPlaceholder, looksRandom, looksSecret } from './words.ts';

/** Second look at a match, for what a pattern can't say; false drops it. */
export type Check = (match: PatternMatch, text: string) => boolean;

const SETTING =
  '(?:server|data source|host|address|addr|database|initial catalog|user id|userid|uid|username|user)\\s?=\\s?[^;=\\r\\n]+';
const SETTING_BEFORE = new RegExp(`\\b${SETTING};(?:[^;\\r\\n]+;)*\\s?$`, 'i');
const SETTING_AFTER = new RegExp(`^\\s?;(?:[^;\\r\\n]+;)*?\\s?${SETTING}`, 'i');
const REDIS_BEFORE = /[\w.-]+:\d{2,5},(?:[^,\s]+,)*\s?$/;

// Account keys of the Azurite and Cosmos emulators: constants in every copy of their client libraries.
const PUBLIC_ACCOUNT_KEY = /^(?:Eby8vdM02xNOcqFl|C2y6yDjf5\/R\+ob0N)/;

/**
 * Characters of an antiforgery token without a user: 116 bytes, of which up to 31 are what is protected. Every visitor
 * is handed one, and it proves nothing; one of a signed-in user is longer.
 */
const ANONYMOUS_TOKEN = 155;

/**
 * Characters below which protected data holds no authentication ticket: that has its scheme, a claim and two dates.
 * Data between the two is of the like of a flash message, unless the name of a cookie says more.
 */
const SMALLEST_TICKET = 300;

/** Cookies that sign nobody in: antiforgery has a rule of its own, the others live for one redirect. */
const HARMLESS_COOKIE = /\.(?:Antiforgery|Correlation|Mvc\.CookieTempDataProvider|OpenIdConnect\.Nonce)\b/i;

/** A public key token of an assembly, as in `PublicKeyToken=…], [System.Int32, …`, of which memory holds fragments too. */
const STRONG_NAME = /^[0-9a-f]{16}(?:$|[\],])/;

const random: Check = ({ secret }) => looksRandom(secret);
/** For values whose form leaves no doubt: sixteen characters without a digit are nothing rare. */
const issued: Check = ({ secret }) => entropy(secret) >= 2.8 && !isPlaceholder(secret);
const secretLooking: Check = ({ secret }) => looksSecret(secret);

/** By the id of the rule that it belongs to. */
export const CHECKS: Readonly<Record<string, Check>> = {
  'private-key': ({ secret }) => entropy(secret) > 4,
  'jwk-private-key': ({ secret, start }, text) =>
    entropy(secret) > 3.5 &&
    /"kty"\s{0,9}:\s{0,9}"(?:RSA|EC|OKP|oct)"/i.test(around(text, start, start + secret.length, 4096)),
  'data-protection-key': ({ secret }) => entropy(secret) > 3.5,
  'machine-key': ({ secret }) => entropy(secret) > 2.5,
  'connection-string': (match, text) => !isPlaceholder(unquoted(match.secret)) && isInConnectionString(match, text),
  'url-password': ({ secret }) => !isPlaceholder(secret),
  'azure-account-key': ({ secret }) => entropy(secret) > 4 && !PUBLIC_ACCOUNT_KEY.test(secret),
  'azure-sas': ({ secret, matchStart, matchEnd }, text) =>
    entropy(secret) > 3.5 && /\b(?:s[vepr]|skn|spr)=/i.test(around(text, matchStart, matchEnd, 500)),
  'azure-shared-access-key': issued,
  'azure-service-key': issued,
  'azure-key': ({ secret }) => entropy(secret) > 4,
  'aspnet-antiforgery': ({ secret }) => secret.length > ANONYMOUS_TOKEN && entropy(secret) > 4,
  'aspnet-cookie': ({ secret, start, matchStart }, text) =>
    entropy(secret) > 4 && !HARMLESS_COOKIE.test(text.slice(matchStart, start)),
  'aspnet-protected-data': ({ secret }) => secret.length >= SMALLEST_TICKET && entropy(secret) > 4,
  jwt: ({ secret }) => hasJwtHeader(secret),
  'basic-authorization': ({ secret }) => isUserAndPassword(Buffer.from(secret, 'base64').toString('latin1')),
  // A JSON Web Token is the jwt rule's.
  'bearer-authorization': ({ secret }) => looksRandom(secret) && entropy(secret) > 3.5 && !hasJwtHeader(secret),
  'authorization-header': ({ secret }) => looksSecret(secret) && entropy(secret) > 3.5,
  'api-key-header': secretLooking,
  'session-cookie': ({ secret }) => looksSecret(secret) && entropy(secret) > 3,
  'form-credential': secretLooking,
  'generic-secret-setting': ({ secret, start, matchStart }, text) =>
    looksSecret(secret) && !(STRONG_NAME.test(secret) && /token\W*$/i.test(text.slice(matchStart, start))),
  'nuget-config-credential': ({ secret }) => !isPlaceholder(secret),
  'aws-access-key-id': issued,
  'aws-secret-key': issued,
  'github-token': issued,
  'gitlab-token': random,
  'slack-token': random,
  'stripe-key': issued,
  'google-api-key': random,
  'npm-token': issued,
  'nuget-key': issued,
  'vault-service-token': random,
  'vault-legacy-token': ({ secret }) => /\d/.test(secret) && looksRandom(secret) && entropy(secret) > 3.5,
  'sendgrid-key': random,
  'anthropic-key': random,
  'openai-key': random,
};

/** Option names and help texts hold `Password=` too: it counts only in a list with a server, database or user. */
function isInConnectionString({ matchStart, matchEnd, start }: PatternMatch, text: string): boolean {
  const before = text.slice(Math.max(0, matchStart - 400), Math.min(start, matchStart + 1));
  return (
    SETTING_BEFORE.test(before) || SETTING_AFTER.test(text.slice(matchEnd, matchEnd + 400)) || REDIS_BEFORE.test(before)
  );
}

/** The text on both sides of a match, up to `reach` characters each. */
function around(text: string, start: number, end: number, reach: number): string {
  return `${text.slice(Math.max(0, start - reach), start)}&${text.slice(end, end + reach)}`;
}

function unquoted(text: string): string {
  return text.replace(/^["']|["']$/g, '');
}

/** True where the first part is the header of a signed or an encrypted token. */
function hasJwtHeader(text: string): boolean {
  try {
    const header: unknown = JSON.parse(Buffer.from(text.split('.', 1)[0]!, 'base64url').toString('utf8'));
    return typeof header === 'object' && header !== null && 'alg' in header && typeof header.alg === 'string';
  } catch {
    return false;
  }
}

/** `user:password`, all printable, with a password that is not a placeholder. */
function isUserAndPassword(text: string): boolean {
  const [, password] = /^[\x20-\x39\x3b-\x7e]{1,200}:([\x20-\x7e]{3,500})$/.exec(text) ?? [];
  return password !== undefined && !isPlaceholder(password);
}
