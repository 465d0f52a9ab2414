/** One secret in the snapshot: where and by which rule, never its value. */
export interface Finding {
  /** Rule id, e.g. `known-value` or `private-key`. */
  ruleId: string;
  /** What the rule looks for, one line. For known values, the name of the secret (never its value). */
  description: string;
  /** Encoding in which it was found. */
  encoding: 'utf-8' | 'utf-16le';
  /** Image file within the snapshot folder, e.g. `pages-1.img`. */
  file: string;
  /** Byte offset in that file. */
  offset: number;
  /** Address in the process's memory where the pagemap tells it, as 0x-hex. */
  address?: string;
  /** PID in the snapshot where the pagemap tells it. */
  pid?: number;
  /** Same rule and value in the same encoding: how often it was seen in all. The location is that of the first. */
  count: number;
  /** Length of the value in characters. */
  length: number;
}

/** A secret value that the build itself knows, searched for literally. */
export interface KnownSecret {
  /** Where it comes from, e.g. `environment DB_PASSWORD`; shown in findings. */
  name: string;
  value: string;
}

/** What the scan saw and found. */
export interface ScanResult {
  findings: Finding[];
  /** Files read. */
  files: number;
  /** Bytes read from all of them. */
  bytes: number;
  /** Contiguous memory areas that were scanned as one text each. */
  extents: number;
  /** Rules applied, and known values searched for. */
  rules: number;
  knownSecrets: number;
  /** Duration in milliseconds. */
  millis: number;
}
