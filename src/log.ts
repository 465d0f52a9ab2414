/** Where stages say what they do. The doors choose the sink: the runner's log or the terminal. */
export interface Log {
  /** A line a user wants to read. */
  info(message: string): void;
  /** Something that did not stop the work but that a user should know. */
  warning(message: string): void;
  /** Detail that is shown only when asked for. */
  debug(message: string): void;
  /** Runs `work` under a heading (a folded group on a runner) and tells how long it took. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>;
}

/** A log that drops everything. */
export const silentLog: Log = {
  info: () => {},
  warning: () => {},
  debug: () => {},
  group: (_title, work) => work(),
};
