/**
 * How an app is spoken to: HTTP/1.1 in the clear, TLS with any certificate (HTTP/2 or HTTP/1.1, as the app offers), or
 * HTTP/2 in the clear by prior knowledge.
 */
export type Protocol = 'http' | 'https' | 'h2c';

/** What tells that an app is ready. */
export type Ready =
  /** An answer below 400 at the ready path. */
  | { by: 'http' }
  /** Its port accepts connections. */
  | { by: 'port' }
  /** A line of its log matches. */
  | { by: 'log'; pattern: string }
  /** A file or folder of its container exists. */
  | { by: 'file'; path: string }
  /** A program that is started in its container ends with exit code 0. */
  | { by: 'command'; argv: string[] };

/** How an app is met, in each of its containers alike. */
export interface Access {
  /** Port inside the container. */
  port: number;
  ready: Ready;
  /** Where `ready` is by HTTP. */
  readyPath: string;
  /** How long the app may take to become ready. */
  readyMillis: number;
  /** Host header of every request that names none of its own. */
  host: string;
  /** Found out by the first answer where absent. */
  protocol?: Protocol;
}
