import type { Log } from './log.ts';

/** Undoes what a run left behind, last in first out, whichever way the run ends. */
export class Cleanup {
  #undo: { what: string; work: () => Promise<unknown> }[] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Remembers how to undo something; `what` names it should that fail. Returns what to call where it is to stay. */
  defer(what: string, work: () => Promise<unknown>): () => void {
    const added = { what, work };
    this.#undo.push(added);
    return () => {
      this.#undo = this.#undo.filter((entry) => entry !== added);
    };
  }

  /** Undoes everything; what fails is told and does not keep the rest from being undone. Safe to call twice. */
  async run(): Promise<void> {
    for (let entry = this.#undo.pop(); entry; entry = this.#undo.pop()) {
      try {
        await entry.work();
      } catch (error) {
        this.#log.warning(
          `could not clean up ${entry.what}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    }
  }
}
