import { entropy } from '../entropy.ts';

/** Values shorter than this, in characters, would be found by chance. */
export const MIN_LENGTH = 8;

/** Words that clean processes hold anyway, and that weak passwords and placeholders are made of. */
const COMMON_WORDS = `access account admin administrator anonymous api app application auth authentication
  authorization basic bearer changeit changeme client connection connectionstring credential credentials critical
  data database debug default demo dev development disabled dummy enabled error example fake false guest hello host
  information insecure key letmein local localhost login master mongo mysql name none null optional pass passw0rd
  passwd password placeholder please postgres postgresql preview private prod production pwd qwerty rabbitmq redis
  replace required root sample secret secure security server service session staging string super sql test testing
  token trace true undefined user username value verbose warning welcome world your`
  .split(/\s+/)
  .sort((a, b) => b.length - a.length);

const WHOLE_WORDS = new Set(COMMON_WORDS);
const ANY_WORD = new RegExp(COMMON_WORDS.join('|'), 'g');

/**
 * Why a value is not worth searching for: it says nothing, or clean processes hold it too. Undefined for one that is.
 * A value that the user named as a secret (`explicit`) may look plain, but not be a mere word.
 */
export function trivialReason(value: string, explicit = false): string | undefined {
  const lower = value.toLowerCase();
  if (/^\d{1,9}$/.test(value)) return 'a short number';
  if (/^(?:true|false)$/.test(lower)) return 'true or false';
  if (value.length < MIN_LENGTH) return `shorter than ${MIN_LENGTH} characters`;
  if (/^(.)\1*$/s.test(value)) return 'one character repeated';
  if (WHOLE_WORDS.has(lower)) return 'a common word';
  if (explicit) return undefined;
  if (isMadeOfWords(lower)) return 'made of common words';
  if (new Set(value).size <= 3) return 'too few different characters';
  if (isSequence(lower)) return 'a sequence of neighbours';
  return undefined;
}

/** `password123`, `my-secret-key`: common words, a short number, and what joins them. */
function isMadeOfWords(lower: string): boolean {
  const rest = lower.replace(ANY_WORD, '');
  if (rest.length === lower.length) return false;
  return rest.length <= 6 && /^(?:my|the|for|only|not|a|\d{0,4}|[\W_])*$/.test(rest);
}

/** `abcdefgh`, `87654321`, `qwertyuiop`. */
function isSequence(lower: string): boolean {
  return ['abcdefghijklmnopqrstuvwxyz', '01234567890123456789', 'qwertyuiopasdfghjklzxcvbnm'].some(
    (row) => row.includes(lower) || [...row].reverse().join('').includes(lower),
  );
}

/** True for the looks of a generated value: letters and digits mixed, little repeated, no blanks, not a plain address. */
export function looksGenerated(value: string): boolean {
  return value.length >= 12 && /\d/.test(value) && /[A-Za-z]/.test(value) && !/\s/.test(value) && entropy(value) >= 3;
}
