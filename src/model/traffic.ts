/** What one request of the traffic file asks, and what its answer must look like. Strings may hold `{{name}}` captures. */
export interface Exchange {
  /** Unique within the file; shown in messages. */
  name: string;
  /** HTTP method, upper case. */
  method: string;
  /** Path and query, beginning with `/`. */
  path: string;
  /** Header names in lower case. */
  headers: Record<string, string>;
  /** Body as it is sent, after captures are filled in; undefined for none. `bodyFile` is read when the file is parsed. */
  body?: string | Uint8Array;
  /** How many times in a row it is sent, at least 1. */
  repeat: number;
  expect?: {
    status?: number;
    bodyContains?: string[];
    /** Each named header must contain the value, compared without case. */
    headers?: Record<string, string>;
  };
  /** Capture name to where its value is found in the answer: `$.json.path`, `header:Name`, or `regex:…(group)…`. */
  capture?: Record<string, string>;
}

/** A parsed traffic file. */
export interface Traffic {
  /** Path as the user gave it. */
  file: string;
  /** `sha256:` and hex of the file and of every body file it names. */
  digest: string;
  exchanges: Exchange[];
}

/** One answer that the app gave to one sending of an exchange. */
export interface Answer {
  /** Name of the exchange. */
  exchange: string;
  /** 0 for the first of `repeat` sendings. */
  iteration: number;
  method: string;
  /** Path as sent, captures filled in. */
  path: string;
  status: number;
  /** Names in lower case; several values are joined with ", ". */
  headers: Record<string, string>;
  body: Uint8Array;
  /** From sending the first byte to having the whole body, in microseconds. */
  micros: number;
  /** What the expectation asked and the answer did not have; empty when all is well. */
  unmet: string[];
}

/** Where an app answers on this machine. */
export interface Target {
  /** `http://`, `https://` or `h2c://`, host and port. */
  origin: string;
  /** Host header of requests that name none; that of the origin where absent. */
  host?: string;
}

/** Sends a traffic file's requests to a running app; the stages get it handed in. */
export type Replay = (traffic: Traffic, target: Target, options?: { limit?: number }) => Promise<Answer[]>;
