import { contextOf, entropy, isPlaceholder, looksRandom, type Rule, type RuleText } from './rule.ts';

const AFTER_RESTORE =
  'Warm the app with a placeholder in its place, and let the real value reach the app after the restore.';
const IN_TRAFFIC =
  'Warm the app with a test credential that is worth nothing elsewhere, and let two garbage collections run before the checkpoint.';
const REVOKE = `${AFTER_RESTORE} If the snapshot left this machine, revoke it.`;

/** A token that its issuer made recognisable: a fixed prefix, then random characters. */
function token(id: string, description: string, pattern: RegExp, keywords: readonly string[]): Rule {
  return { id, description, fix: REVOKE, pattern, keywords, accept: looksRandom };
}

const SETTING =
  '(?:server|data source|host|address|addr|database|initial catalog|user id|userid|uid|username|user)\\s?=\\s?[^;=\\r\\n]+';
const SETTING_BEFORE = new RegExp(`\\b${SETTING};(?:[^;\\r\\n]+;)*\\s?$`, 'i');
const SETTING_AFTER = new RegExp(`^\\s?;(?:[^;\\r\\n]+;)*?\\s?${SETTING}`, 'i');
const REDIS_BEFORE = /[\w.-]+:\d{2,5},(?:[^,\s]+,)*\s?$/;

// Account keys of the Azurite and Cosmos emulators: constants in every copy of their client libraries.
const PUBLIC_ACCOUNT_KEY = /^(?:Eby8vdM02xNOcqFl|C2y6yDjf5\/R\+ob0N)/;

/** What known secrets are reported under; `literals.ts` finds them. */
export const KNOWN_RULES: readonly RuleText[] = [
  { id: 'known-value', description: 'Secret value that the build knows', fix: AFTER_RESTORE },
  { id: 'known-value-base64', description: 'Secret value that the build knows, in base64', fix: AFTER_RESTORE },
];

/**
 * The first rule set. A .NET process is full of format strings, option names and documentation, so each rule asks
 * for the value itself and for what surrounds it; a clean app must give no finding.
 */
export const RULES: readonly Rule[] = [
  {
    id: 'private-key',
    description: 'Private key in PEM form',
    fix: AFTER_RESTORE,
    // The header alone is a constant in every .NET process: real content has to follow it.
    pattern:
      /-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[nr]){1,8}(?:[A-Za-z-]{3,20}: [^\r\n\\]{1,200}(?:\s|\\[nr]){1,4}){0,6}(?<secret>(?:[A-Za-z0-9+/=]|\s|\\[nr]){60,8000})/dg,
    keywords: ['private key'],
    accept: (secret) => entropy(secret) > 4,
  },
  {
    id: 'jwt',
    description: 'JSON Web Token',
    fix: IN_TRAFFIC,
    pattern: /\beyJ[\w-]{10,2000}\.[\w-]{4,12000}\.[\w-]{16,2000}/dg,
    keywords: ['eyj'],
    accept: (secret) => hasJwtHeader(secret),
  },
  {
    id: 'connection-string',
    description: 'Connection string with a password',
    fix: AFTER_RESTORE,
    pattern: /(?<![\w.$-])(?:password|pwd)\s?=\s?(?<secret>"[^"\r\n]{4,128}"|'[^'\r\n]{4,128}'|[^;,'"\s]{4,128})/dgi,
    keywords: ['password', 'pwd'],
    accept: (secret, match) => !isPlaceholder(unquoted(secret)) && isInConnectionString(match),
  },
  {
    id: 'url-password',
    description: 'URL with a password',
    fix: AFTER_RESTORE,
    pattern: /(?<=[a-z\d]):\/\/[^\s:@/?#"'<>]{0,128}:(?<secret>[^\s:@/?#"'<>]{4,256})@[\w[]/dgi,
    keywords: ['://'],
    accept: (secret) => !isPlaceholder(secret),
  },
  {
    id: 'azure-account-key',
    description: 'Azure Storage or Cosmos DB account key',
    fix: REVOKE,
    pattern: /AccountKey\s?=\s?(?<secret>[A-Za-z0-9+/]{86}==)/dgi,
    keywords: ['accountkey'],
    accept: (secret) => entropy(secret) > 4 && !PUBLIC_ACCOUNT_KEY.test(secret),
  },
  {
    id: 'azure-sas',
    description: 'Azure shared access signature',
    fix: REVOKE,
    pattern: /(?:^|[?&;\s])sig=(?<secret>[A-Za-z0-9%+/]{38,120}(?:=|%3D))/dgi,
    keywords: ['sig='],
    accept: (secret, match) => entropy(secret) > 3.5 && isAmongSasFields(match),
  },
  {
    id: 'azure-shared-access-key',
    description: 'Azure Service Bus, Event Hubs or IoT Hub key',
    fix: REVOKE,
    pattern: /SharedAccessKey\s?=\s?(?<secret>[A-Za-z0-9+/]{42,86}={0,2})/dgi,
    keywords: ['sharedaccesskey'],
    accept: looksRandom,
  },
  token('aws-access-key-id', 'AWS access key id', /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/dg, ['akia', 'asia']),
  token(
    'aws-secret-key',
    'AWS secret access key',
    /secret_?access_?key["']?[\s:=]{1,4}["']?(?<secret>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])/dgi,
    ['secret_access_key', 'secretaccesskey'],
  ),
  token('github-token', 'GitHub token', /\b(?:gh[oprsu]_[A-Za-z0-9]{36,255}|github_pat_\w{60,255})/dg, [
    'gh',
    'github_pat_',
  ]),
  token('gitlab-token', 'GitLab token', /\bglpat-[\w-]{20,100}/dg, ['glpat-']),
  token('slack-token', 'Slack token', /\bxox[abeoprs]-(?:\d{1,20}-){0,3}[A-Za-z0-9-]{16,200}/dg, ['xox']),
  token('stripe-key', 'Stripe live key', /\b[rs]k_live_[A-Za-z0-9]{16,200}/dg, ['k_live_']),
  token('google-api-key', 'Google API key', /\bAIza[\w-]{35}(?![\w-])/dg, ['aiza']),
  token('npm-token', 'npm access token', /\bnpm_[A-Za-z0-9]{36}\b/dg, ['npm_']),
  token('anthropic-key', 'Anthropic API key', /\bsk-ant-[a-z]{3,10}\d\d-[\w-]{40,200}/dg, ['sk-ant-']),
  token(
    'openai-key',
    'OpenAI API key',
    /\bsk-(?:(?:proj|svcacct|admin)-[\w-]{40,250}|[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20})/dg,
    ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 't3blbkfj'],
  ),
  token('nuget-key', 'NuGet API key', /\boy2[a-z0-9]{43}\b/dg, ['oy2']),
  token('sendgrid-key', 'SendGrid API key', /\bSG\.[\w-]{22}\.[\w-]{43}(?![\w-])/dg, ['sg.']),
  {
    id: 'data-protection-key',
    description: 'ASP.NET Core data-protection key',
    fix: 'Warm the app with its own throwaway key ring, and let the real one be loaded after the restore.',
    pattern:
      /<masterKey\b[^>]{0,400}>(?:\s|<!--[^>]{0,400}-->){0,40}<value>\s{0,40}(?<secret>[A-Za-z0-9+/=]{40,400})\s{0,40}<\/value>/dg,
    keywords: ['<masterkey'],
    accept: (secret) => entropy(secret) > 3.5,
  },
  {
    id: 'basic-authorization',
    description: 'Basic authorization header',
    fix: IN_TRAFFIC,
    pattern: /\bBasic (?<secret>[A-Za-z0-9+/]{8,1000}={0,2})(?![\w+/=-])/dgi,
    keywords: ['basic '],
    accept: (secret) => isUserAndPassword(Buffer.from(secret, 'base64').toString('latin1')),
  },
  {
    id: 'bearer-authorization',
    description: 'Bearer authorization header',
    fix: IN_TRAFFIC,
    pattern: /\bBearer (?<secret>[\w.~+/-]{20,8000}={0,2})/dgi,
    keywords: ['bearer '],
    // A JSON Web Token is the jwt rule's.
    accept: (secret) => looksRandom(secret) && entropy(secret) > 3.5 && !hasJwtHeader(secret),
  },
];

/** Option names and help texts hold `Password=` too: it counts only in a list with a server, database or user. */
function isInConnectionString(match: RegExpExecArray): boolean {
  const { before, after } = contextOf(match, 400);
  return SETTING_BEFORE.test(before) || SETTING_AFTER.test(after) || REDIS_BEFORE.test(before);
}

function isAmongSasFields(match: RegExpExecArray): boolean {
  const { before, after } = contextOf(match, 500);
  return /\b(?:s[vepr]|skn|spr)=/i.test(`${before}&${after}`);
}

function unquoted(text: string): string {
  return text.replace(/^["']|["']$/g, '');
}

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
