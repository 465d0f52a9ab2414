import { type EmbeddedCredential, embeddedCredentials } from '../scan/known/embedded.ts';
import { isSecretSetting, trivialReason } from '../scan/known/index.ts';
import { jsonEntries, parseJson } from '../scan/known/json.ts';
import type { AllowlistConfig, RuleSetConfig } from '../scan/rules/config.ts';
import { fakeOf } from './fakes.ts';

/** Below this many characters, chance would find a piece of a fake in other texts. */
const SHORTEST_PIECE = 6;

/** What an app is warmed with in place of its secrets. */
export interface Placeholders {
  /** The variables, with a fake for each secret in them. */
  env: Record<string, string>;
  /** Names of the variables that have one. */
  names: string[];
  /**
   * Texts of the fakes, which are no secrets: what holds one of them, or is held by one, was made up. Fakes have the form of
   * secrets, so that rules find them.
   */
  texts: string[];
}

/**
 * Gives each secret among `env` a fake of the same form: random, the same for the same secret in all variables. Of a
 * connection string, URL or JSON document only the secret part changes. Names and forms say what is a secret, as in the scan.
 */
export function withPlaceholders(env: Record<string, string>): Placeholders {
  const fakes = new Map<string, string>();
  const fake = (secret: string): string => {
    const known = fakes.get(secret) ?? fakeOf(secret);
    fakes.set(secret, known);
    return known;
  };
  const faked = Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, isSecretSetting(name, value) ? substitute(value, fake) : value]),
  );
  // A secret may stand in a variable whose name doesn't say so, too.
  const telling = [...fakes].filter(([secret]) => trivialReason(secret) === undefined);
  for (const [name, value] of Object.entries(faked))
    faked[name] = telling.reduce((text, [secret, instead]) => text.replaceAll(secret, () => instead), value);
  return {
    env: faked,
    names: Object.keys(env).filter((name) => faked[name] !== env[name]),
    texts: [...new Set([...fakes.values()].flatMap(piecesOf))],
  };
}

/** The rules, and that what holds one of the texts of placeholders is no secret, whichever rule matches it. */
export function allowingPlaceholders(rules: RuleSetConfig, texts: readonly string[]): RuleSetConfig {
  if (texts.length === 0) return rules;
  const stopwords = texts.map((text) => text.toLowerCase());
  const allowlist: AllowlistConfig = {
    ...{ condition: 'or', regexTarget: 'secret', hasCommits: false },
    ...{ regexes: [], stopwords, paths: [] },
  };
  return { ...rules, allowlists: [...rules.allowlists, allowlist] };
}

function substitute(value: string, fake: (secret: string) => string): string {
  const document = value.trimStart().startsWith('{') ? parseJson(value) : undefined;
  if (document !== undefined) return substituteMembers(value, document, fake);
  const credentials = embeddedCredentials(value).filter((found) => trivialReason(found.value) !== 'a common word');
  if (credentials.length === 0) return fake(value);
  return credentials.reduce((text, found) => replaceCredential(text, found, fake(found.value)), value);
}

/** Where it is the value of its setting: a user may have the same name as his password. */
function replaceCredential(text: string, { setting, value }: EmbeddedCredential, fake: string): string {
  const before = `(?:^|[;,&?#])\\s*${literal(setting)}\\s*=\\s*["'{]?|^[a-z][a-z0-9+.-]*://[^:@/?#]*:`;
  const place = new RegExp(`(${before})${literal(value)}(?=["'}]?\\s*(?:[;,&@#]|$))`, 'gi');
  const replaced = text.replaceAll(place, (_match, unchanged: string) => unchanged + fake);
  // Written otherwise there, with quotes in it: no secret may stay.
  return replaced === text ? text.replaceAll(value, () => fake) : replaced;
}

function literal(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function substituteMembers(text: string, document: unknown, fake: (secret: string) => string): string {
  const secrets = jsonEntries(document).filter(({ key, value }) => isSecretSetting(key, value));
  return secrets.reduce((result, { value }) => {
    const [written, instead] = [JSON.stringify(value), JSON.stringify(fake(value))];
    return result.replaceAll(`: ${written}`, () => `: ${instead}`).replaceAll(`:${written}`, () => `:${instead}`);
  }, text);
}

/** The fake, and what a rule may take of it: its lines, and what punctuation separates. */
function piecesOf(fake: string): string[] {
  const lines = fake
    .split(/\r?\n|\\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= SHORTEST_PIECE && !line.startsWith('-----'));
  const parts = lines.flatMap((line) => line.split(/[^A-Za-z0-9+/=_-]+/)).filter((part) => part.length >= 12);
  return [...new Set([...lines, ...parts])];
}
