import { entropy } from '../entropy.ts';

const PLACEHOLDER_WORD =
  /^(?:pass(?:word|wd|phrase)?|pwd|secret|token|value|string|none|null|empty|default|user(?:name)?|x+|\*+|\.+|#+|_+|-+)$/i;

const PLACEHOLDER_PART =
  /example|placeholder|redacted|change[-_ ]?me|\*\*\*|xxxx|\.\.\.|^your|your[-_ ]|my[-_ ]?(?:pass|secret|token|key)|\{[\w.: -]*\}|^<[a-z][a-z_.: -]{2,60}>$|^[<{][a-z_]*$|\$\(|^\$env:|^%\w+%$|%(?:[sdux]|l[dux])(?!\w)|[.>]pass(?:word|wd)?\b/i;

const SHELL_VARIABLE = /^\$[A-Z][A-Z0-9_]*$/;

/** True for what documentation, templates and masked logs put where a secret would be. */
export function isPlaceholder(text: string): boolean {
  return PLACEHOLDER_WORD.test(text) || PLACEHOLDER_PART.test(text) || SHELL_VARIABLE.test(text);
}

/** What ASP.NET Core's data protection makes begins so; its rules know which of it is a secret. */
const PROTECTED = /^CfDJ8/;

/** True for the looks of a random token: enough entropy, no word, no placeholder. */
export function looksRandom(text: string): boolean {
  const isMixed = /[A-Za-z]/.test(text) && (/\d/.test(text) || (/[a-z]/.test(text) && /[A-Z]/.test(text)));
  return isMixed && entropy(text) >= 3 && !isPlaceholder(text) && !isTerm(text);
}

/**
 * True for a value that nobody would write as a name, a place, a number or a sentence. For rules that know nothing of
 * the value but what it is called.
 */
export function looksSecret(text: string): boolean {
  if (!/[A-Za-z]/.test(text) || isPlaceholder(text) || isTerm(text) || isPlace(text) || PROTECTED.test(text))
    return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z\d]/].filter((kind) => kind.test(text)).length;
  const long = text.length >= (/\d/.test(text) ? 16 : 12);
  return long ? kinds >= 2 && entropy(text) >= 2.8 : kinds >= 3 && /\d/.test(text) && entropy(text) >= 2.5;
}

/** A name, a version or the type of a body. */
function isTerm(text: string): boolean {
  return isName(text) || VERSION.test(text) || MEDIA_TYPE.test(text);
}

const VERSION = /^v?\d+(?:\.\d+)+(?:-[\w.]+)?$/;
const MEDIA_TYPE = /^[a-z]+\/[\w.+-]+(?:;[\w=-]+)*$/;
const URL_WITHOUT_QUERY = /^(?:[a-z][a-z\d+.-]*:)?\/\/[^@?]*$/i;

/** A URL that carries nothing, or a path whose parts are words. */
function isPlace(text: string): boolean {
  return URL_WITHOUT_QUERY.test(text) || (/^(?:~?|\.{1,2}|[A-Za-z]:)[/\\]/.test(text) && lettersInWord(text) >= 2.5);
}

/** Words in one of the ways of writing names, such as `Microsoft.AspNetCore.Http2` or `refresh-token_v1`. */
function isName(text: string): boolean {
  if (!/^[\w.:/, -]*$/.test(text) || lettersInWord(text) < 3.5) return false;
  const digits = text.match(/\d+/g) ?? [];
  const letters = text.match(/[a-z]/gi)?.length ?? 0;
  const vowels = text.match(/[aeiouy]/gi)?.length ?? 0;
  // In a name of both cases, a word in capitals is the exception.
  const capitals = /[a-z]/.test(text) ? (text.match(/[A-Z]{2,}(?![a-z])/g) ?? []) : [];
  return digits.length <= 2 && digits.join('').length <= 4 && vowels >= letters / 5 && capitals.length <= 1;
}

/** On average. Chance changes between upper and lower case every other letter. */
function lettersInWord(text: string): number {
  const words = text.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])/g) ?? [];
  return words.reduce((sum, word) => sum + word.length, 0) / Math.max(1, words.length);
}
