import type { KnownSecret } from '../model/index.ts';
import { type EmbeddedCredential, embeddedCredentials } from '../scan/known/embedded.ts';
import { isSecretSetting, partsOf, trivialReason } from '../scan/known/index.ts';
import { jsonEntries, parseJson } from '../scan/known/json.ts';
import { pemLines } from '../scan/known/parts.ts';
import type { AllowlistConfig, RuleSetConfig } from '../scan/rules/config.ts';
import { fakeOf } from './fakes.ts';

/** Below this many characters, chance would find a piece of a fake in other texts. */
const SHORTEST_PIECE = 6;

/** Shorter texts of a fake, in characters, only stand for themselves and for no part of a match. */
const SHORTEST_PART = 12;

/** What an app is warmed with in place of its secrets. */
export interface Placeholders {
  /** The variables, with a fake for each secret in them. */
  env: Record<string, string>;
  /** Names of the variables that have one. */
  names: string[];
  /**
   * Texts of the fakes, which are no secrets: what is one of them, or made of them, was made up. Fakes have the form
   * of secrets, so that rules find them. What a fake has in common with its secret, such as a token's header, is in none.
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
    texts: [...new Set([...fakes].flatMap(([secret, instead]) => piecesOf(instead, secret)))],
  };
}

/**
 * The rules, and that what is one of the texts of placeholders, or is made of them and punctuation, is no secret, whichever
 * rule matches it.
 */
export function allowingPlaceholders(rules: RuleSetConfig, texts: readonly string[]): RuleSetConfig {
  const whole = usable(texts);
  if (whole.length === 0) return rules;
  const anyOf = (list: readonly string[]) => `(?:${list.map(literal).join('|')})`;
  const parts = whole.filter((text) => text.length >= SHORTEST_PART);
  // An escape before it, as in JSON and URLs, ends in letters or digits.
  const part = `(?:[nrt]|u[0-9a-f]{4}|[0-9a-f]{2})?${anyOf(parts)}`;
  const word = `[a-z0-9]{0,${SHORTEST_PART - 1}}`;
  const composed = `(?i)^(?:${word}[^a-z0-9])*${part}(?:[^a-z0-9](?:${part}|${word}))*$`;
  const allowlist: AllowlistConfig = {
    ...{ condition: 'or', regexTarget: 'secret', hasCommits: false },
    ...{ regexes: [`(?i)^${anyOf(whole)}$`, ...(parts.length > 0 ? [composed] : [])], stopwords: [], paths: [] },
  };
  return { ...rules, allowlists: [...rules.allowlists, allowlist] };
}

/** The texts that say enough to stand for something made up, longest first: they may come from a foreign manifest. */
function usable(texts: readonly string[]): string[] {
  return texts
    .map((text) => text.trim())
    .filter((text) => text.length >= SHORTEST_PIECE)
    .sort((a, b) => b.length - a.length);
}

/**
 * The known values but those that were made up: with the texts of placeholders taken out, nothing secret is left of them.
 * What the user named as a secret stays.
 */
export function withoutFakes(known: readonly KnownSecret[], fakes: readonly string[]): KnownSecret[] {
  const texts = usable(fakes);
  return known.filter((secret) => secret.explicit || !isMadeUp(secret, texts));
}

/** Stands for a fake that was taken out. */
const TAKEN_OUT = 'placeholder';

function isMadeUp(secret: KnownSecret, fakes: readonly string[]): boolean {
  const rest = fakes.reduce((text, fake) => text.replaceAll(fake, TAKEN_OUT), secret.value);
  if (rest === secret.value) return false;
  const parts = partsOf({ ...secret, value: rest }).slice(1);
  return (parts.length > 0 ? parts : [{ value: rest }]).every(({ value }) => {
    const left = value.replaceAll(TAKEN_OUT, '').replaceAll(/\\[nr]|\s|-----[A-Z ]+-----/g, '');
    return trivialReason(left) !== undefined;
  });
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

/**
 * The fake, and what a rule may take of it: its lines, and what punctuation separates. Nothing that the secret has too, such
 * as the header of a token: that would let real ones pass.
 */
function piecesOf(fake: string, secret: string): string[] {
  const lines = fake
    .split(/\r?\n|\\n/)
    .map((line) => line.trim())
    .filter((line) => line.length >= SHORTEST_PIECE && !line.startsWith('-----'));
  const parts = lines
    .flatMap((line) => line.split(/[^A-Za-z0-9+/=_-]+/))
    .filter((part) => part.length >= SHORTEST_PART);
  const keys = pemLines(fake).map((body) => body.join(''));
  const lower = secret.toLowerCase();
  return [...new Set([...lines, ...parts, ...keys])].filter((piece) => !lower.includes(piece.toLowerCase()));
}
