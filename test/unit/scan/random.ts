/** The alphabets that secrets are made of. */
export const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
export const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
export const LOWER = 'abcdefghijklmnopqrstuvwxyz0123456789';
export const HEX = '0123456789abcdef';

/** Numbers, texts and bytes that look random and are the same for the same seed, so that what failed can be had again. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number of at least 0 and below `limit` (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  /** One of these. */
  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }

  /** Characters of the alphabet. */
  text(length: number, alphabet = ALPHANUMERIC): string {
    return Array.from({ length }, () => alphabet[this.below(alphabet.length)]).join('');
  }

  /** Any bytes. */
  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** That many random bytes as base64, padding included. */
  base64(bytes: number): string {
    return this.bytes(bytes).toString('base64');
  }

  /**
   * A password as generators make it: letters, digits and some of the characters that encodings replace. It begins and
   * ends with a letter, for a placeholder would begin with `$` or `<`.
   */
  password(length = 18, special = '!#&+-/<>?@_~'): string {
    const inner = this.text(length - 2, `${ALPHANUMERIC}${special}`).split('');
    // One of each class, wherever chance has not put one.
    for (const [index, alphabet] of ['ABCDEFGH', 'abcdefgh', '23456789', special].entries())
      inner[index * 3] = this.text(1, alphabet);
    return `${this.text(1, 'GHJKLMNP')}${inner.join('')}${this.text(1, 'qrstuvwx')}`;
  }
}
