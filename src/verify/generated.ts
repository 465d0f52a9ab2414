import type { Answer } from '../model/index.ts';
import { placeOf } from './compare-json.ts';
import { groupBy } from './group.ts';

/** A value in an answer that looks as if the app had made it at random for this answer. */
export interface GeneratedValue {
  /** Exchange and place in its answer: the same for the same place in each replay. */
  key: string;
  /** Its place for people: `cookie NAME of METHOD PATH`. */
  place: string;
  value: string;
}

/** A value, where it stands, and whether the app may only have shown what it had. */
interface Candidate {
  what: string;
  value: string;
  mayBeState: boolean;
}

/** How text begins that ASP.NET Core's data protection made; a nonce in it makes each one different. */
const PROTECTED = 'CfDJ8';
// Versions 3 and 5 are computed from a name, so they are equal by design.
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-(?![35])[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** Header and payload of a JSON web token; the same claims in the same second give the same one. */
const WEB_TOKEN = /^eyJ[\w-]+\.eyJ/;
const ANTIFORGERY_FIELD = '__RequestVerificationToken';
/** Shorter values of cookies and fields are settings and numbers. */
const SHORTEST = 16;

/** Whether the value was made by ASP.NET Core's data protection. */
export function isProtected(value: string): boolean {
  return value.startsWith(PROTECTED) && value.length >= 60;
}

/**
 * The values in the answers of one replay that look generated: cookies, antiforgery tokens and other long tokens in
 * hidden fields, and identifiers in headers and JSON.
 */
export function generatedIn(answers: Answer[]): GeneratedValue[] {
  const found = answers.flatMap((answer) =>
    candidatesIn(answer).map(({ what, value, mayBeState }) => ({
      key: JSON.stringify([answer.exchange, what]),
      place: `${what} of ${answer.method} ${answer.path}`,
      value,
      mayBeState,
    })),
  );
  const varying = new Set<string>();
  for (const [key, group] of groupBy(found, ({ key }) => key))
    if (group.length > 1 && new Set(group.map(({ value }) => value)).size === group.length) varying.add(key);
  return found
    .filter(({ key, mayBeState }) => !mayBeState || varying.has(key))
    .map(({ key, place, value }) => ({ key, place, value }));
}

function candidatesIn(answer: Answer): Candidate[] {
  const text = new TextDecoder().decode(answer.body);
  const mediaType = (answer.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase();
  // What a GET shows may be older than the snapshot, though no answer had it yet: a job's last result, the newest order.
  const mayBeState = answer.method !== 'POST';
  return [
    ...cookiesIn(answer.headers['set-cookie'] ?? '')
      .filter(({ value }) => value.length >= SHORTEST && !WEB_TOKEN.test(value))
      .map(({ name, value }) => ({ what: `cookie ${name}`, value, mayBeState: false })),
    ...(mediaType === 'text/html' ? hiddenFieldsIn(text) : []),
    ...identifiersInHeaders(answer.headers).map((found) => ({ ...found, mayBeState })),
    ...(/[/+]json$/.test(mediaType) ? identifiersInJson(text).map((found) => ({ ...found, mayBeState })) : []),
  ];
}

/** The cookies that an answer sets. */
export function cookiesIn(setCookie: string): { name: string; value: string }[] {
  // Several are joined with commas, and a date has one too; only a cookie goes on with a name and an equals sign.
  return setCookie.split(/,\s*(?=[^\s;,=]+=)/).flatMap((cookie) => {
    const [, name, value] = /^\s*([^\s;,=]+)=([^;]*)/.exec(cookie) ?? [];
    return name === undefined || value === undefined ? [] : [{ name, value: value.trim().replace(/^"(.*)"$/, '$1') }];
  });
}

function hiddenFieldsIn(html: string): Candidate[] {
  return (html.match(/<input\b[^>]*>/gi) ?? []).flatMap((tag) => {
    const attributes = attributesOf(tag);
    const { name = 'without a name', value = '' } = attributes;
    if (attributes.type?.toLowerCase() !== 'hidden') return [];
    const isToken = name === ANTIFORGERY_FIELD ? value.length >= SHORTEST : /^[\w-]{60,}$/.test(value);
    return isToken ? [{ what: `hidden field ${name}`, value, mayBeState: false }] : [];
  });
}

function attributesOf(tag: string): Record<string, string | undefined> {
  const attributes = tag.matchAll(/([^\s"'<>/=]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/g);
  return Object.fromEntries(
    Array.from(attributes, ([, name, double, single, bare]) => [name!.toLowerCase(), double ?? single ?? bare]),
  );
}

function identifiersInHeaders(headers: Record<string, string>): Omit<Candidate, 'mayBeState'>[] {
  return Object.entries(headers)
    .filter(([, value]) => isIdentifier(value))
    .map(([name, value]) => ({ what: `header ${name}`, value }));
}

function identifiersInJson(text: string): Omit<Candidate, 'mayBeState'>[] {
  const found: Omit<Candidate, 'mayBeState'>[] = [];
  const walk = (value: unknown, place: string): void => {
    if (typeof value === 'string' && isIdentifier(value)) found.push({ what: place, value });
    // A list shows what there is: entries of a database outlive the clone that made them.
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    for (const [key, member] of Object.entries(value)) walk(member, placeOf(place, key));
  };
  try {
    walk(JSON.parse(text), '$');
  } catch {
    return [];
  }
  return found;
}

function isIdentifier(value: string): boolean {
  return UUID.test(value) || isProtected(value);
}
