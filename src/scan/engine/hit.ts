/**
 * How a value is stored, outermost first, joined by ` > `: `utf-8`, `utf-16le`, `utf-8 > base64`, `gzip > utf-8`,
 * `utf-16le > json > base64`, `der`. Decoders: base64, base64url, hex, url, json, gzip, br.
 */
export type EncodingChain = string;

/** Sightings of one value in one encoding under one rule. Holds what may be known of the value, never the value. */
export interface Hit {
  ruleId: string;
  /** What the rule looks for; for known values the name of the secret. */
  description: string;
  encoding: EncodingChain;
  /** Place of the first sighting: file, byte offset in it. */
  file: string;
  offset: number;
  /** Length of the stored form in bytes, at that place. */
  bytes: number;
  /** Length of the value in characters (bytes for `der`). */
  length: number;
  /** First two characters of the value. */
  start: string;
  /** SHA-256 of the value in UTF-8, hex. Stays inside the process: what is shown is keyed. */
  sha256: string;
  /** Of what ASP.NET Core's data protection protects, the id of the key that opens it. */
  keyId?: string;
  /** Sightings in all. */
  count: number;
  /**
   * Where they are, at most {@link MAX_PLACES}: findings in several mappings are told apart by them. With fewer places
   * than `count`, no allowance for one mapping can be granted.
   */
  places: { file: string; offset: number }[];
}

/** The most places that are kept of one hit. */
export const MAX_PLACES = 1000;
