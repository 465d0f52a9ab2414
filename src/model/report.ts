import type { ScanVerdict } from './findings.ts';

/** Median and spread of a set of samples. */
export interface Summary {
  n: number;
  median: number;
  /** First and third quartile. */
  q1: number;
  q3: number;
  min: number;
  max: number;
}

/** One cold start and one restored start, taken one after the other. */
export interface StartupPair {
  /** From the container's StartedAt to the first successful answer, in milliseconds. */
  coldMs: number;
  restoredMs: number;
}

/** Latency of the first requests after the start, in microseconds. */
export interface FirstRequests {
  n: number;
  p50: number;
  p99: number;
}

/** What was measured of the cold and the restored app. */
export interface Measurements {
  pairs: StartupPair[];
  startupMs: { cold: Summary; restored: Summary };
  /** First 100 requests of the traffic; medians over the pairs of each container's p50 and p99. */
  firstRequestsMicros: { cold: FirstRequests; restored: FirstRequests };
  /** Memory in use by the container after those requests, in bytes; of the last pair. */
  memoryBytes: { cold: number; restored: number };
  /** Image sizes in bytes as the engine reports them. */
  imageBytes: { app: number; restoreReady: number };
}

/** Everything that a reader of the report sees, and the JSON that later runs compare with. */
export interface Report {
  version: 1;
  /** The app's name; one report and one comment for each. */
  name: string;
  /** ISO 8601, UTC. */
  createdAt: string;
  app: {
    /** `net10.0`; absent when the app came as an image. */
    targetFramework?: string;
    /** Entry assembly; absent when the app came as an image. */
    assembly?: string;
    baseImage: string;
    /** Tag of the restore-ready image. */
    image: string;
  };
  snapshot: {
    id: string;
    /** Sum of all image files, in bytes. */
    bytes: number;
    criuVersion: string;
    kernel: string;
    /** The instruction set that the app was held to; absent in reports of versions that held it to none. */
    isa?: string;
    /** True when an unchanged app's snapshot was taken from the cache. */
    fromCache: boolean;
  };
  warmup: {
    /** 0 where the checkpoint was taken as soon as the app was ready: no traffic, no steady state. */
    rounds: number;
    requests: number;
    /** Methods compiled by the JIT, where the companion could tell. */
    methods?: number;
    /** Whether the JIT was seen to become quiet; false when the limit of rounds ended the warmup. */
    steady: boolean;
    millis: number;
    /** Answers of the last round by their status, as `{"200":38,"302":2}`; absent where there were none. */
    statuses?: Record<string, number>;
    /** A sentence on what keeps most of the traffic from the app's own code; absent where nothing seems to. */
    caveat?: string;
  };
  scan: {
    /** Absent in reports of versions that let nothing but `clean` pass. */
    verdict?: ScanVerdict;
    findings: number;
    /** Findings that policy, baseline or .gitleaksignore allow. */
    allowed?: number;
    bytes: number;
    extents: number;
    rules: number;
    knownSecrets: number;
    /** Random values planted for the scan to prove itself by, and those of them that it found. */
    canaries?: { planted: number; found: number };
    millis: number;
  };
  /** Private keys that the app held at the checkpoint, a line each, with what to do; absent for none. */
  keys?: string[];
  verify: {
    clones: number;
    answersCompared: number;
    /** Values that must be unique to a clone, of all clones; absent in reports of versions that did not compare them. */
    valuesCompared?: number;
  };
  measurements: Measurements;
  /** Duration of each stage in milliseconds, in order. */
  stages: { name: string; millis: number }[];
  /** Commit that was built, where known. */
  commit?: string;
}
