/** What kind of memory or record a secret lies in. */
export const MAPPINGS = [
  'managed heap',
  'native heap',
  'stack',
  'environment',
  'arguments',
  'shared memory',
  'code or data of a file',
  'anonymous memory',
  'socket queue',
  'pipe',
  'terminal',
  /** A file that holds no memory. */
  'record',
] as const;

export type Mapping = (typeof MAPPINGS)[number];

/** One secret in one kind of memory: where and by which rule, never its value. */
export interface Finding {
  /** Rule id, e.g. `known-value` or `private-key`. */
  ruleId: string;
  /** What the rule looks for, one line. For known values, the names of the secret (never its value). */
  description: string;
  /** How it is stored, outermost first, e.g. `utf-16le` or `gzip > utf-8`. */
  encoding: string;
  /** File within what was scanned, e.g. `pages-1.img`; of several sightings the first. */
  file: string;
  /** Byte offset in that file. */
  offset: number;
  /** Length of the stored form at that place, in bytes. */
  bytes: number;
  /** Same rule, value, encoding and mapping: how often it was seen. */
  count: number;
  /** Length of the value in characters. */
  length: number;
  /** First two characters of the value. */
  preview: string;
  /** First 12 hex digits of HMAC-SHA-256(key, hex SHA-256 of the value): equal values of one key have equal hashes. */
  hash: string;
  /** What to do about this finding. */
  fix: string;
  mapping: Mapping;
  /** How many of `count` were too many to keep their places: some may be in another mapping. Absent for none. */
  unplaced?: number;
  /** Process in the snapshot, and its name as `ps` shows it. */
  pid?: number;
  process?: string;
  /** Address in the process's memory, as 0x-hex. */
  address?: string;
  /** The file that is mapped there. */
  mappedFile?: string;
  /** Whether something still refers to the object that holds it; absent where that can't be told. */
  age?: 'live' | 'garbage';
}

/** A finding that doesn't count. */
export interface AllowedFinding extends Finding {
  /** What allows it. */
  by: 'policy' | 'baseline' | 'gitleaksignore' | 'worthless';
  /** Of an allowance in a policy file or a worthless value: why; and the last day on which it holds (YYYY-MM-DD). */
  reason?: string;
  expires?: string;
}

/** A secret value that the build itself knows, searched for literally. */
export interface KnownSecret {
  /** Where it comes from, e.g. `environment DB_PASSWORD`; shown in findings. */
  name: string;
  value: string;
  /** True where the user said that it is a secret: then it is searched for however plain it looks. */
  explicit?: true;
  /** What kind of value it is, where that may prove it to be worth nothing. */
  kind?: 'signalr-token';
}

/** What was of use only to the app that was warmed: by it a value in the snapshot may be proven to be worth nothing. */
export interface Forgotten {
  /**
   * Data-protection keys that were nowhere but in the app, and were forgotten before the checkpoint. A form is one in which
   * memory could still hold the key: its first bytes in hex, its length in bytes, and the SHA-256 of the whole in hex.
   */
  keys: { id: string; forms: { start: string; length: number; sha256: string }[] }[];
  /** The first half of the SHA-256, in hex, of tokens of SignalR connections that have ended. */
  tokens: string[];
}

/** `off` is the verdict of a snapshot that nobody looked into. */
export type ScanVerdict = 'clean' | 'findings' | 'off';

/** What the scan saw and found. */
export interface ScanResult {
  /** What counts. */
  findings: Finding[];
  /** What policy, baseline or .gitleaksignore allow, and what is proven to be worth nothing. */
  allowed: AllowedFinding[];
  /**
   * What a user should know: allowances that have expired or allow nothing, data that was searched in part. One line
   * each, no values.
   */
  notes: string[];
  /** Tells scans with the same key from others; absent where the key was random. */
  keyId?: string;
  /** Files read. */
  files: number;
  /** Bytes read from all of them. */
  bytes: number;
  /** Contiguous memory areas that were scanned as one text each. */
  extents: number;
  /** Rules applied, and known values searched for. */
  rules: number;
  knownSecrets: number;
  /** Canaries that the app's memory and the scan's own test held, and those of them that were found. */
  canaries: { planted: number; found: number };
  /** Duration in milliseconds. */
  millis: number;
}
