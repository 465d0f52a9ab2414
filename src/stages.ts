import type { Log } from './log.ts';
import type { Report } from './model/index.ts';

/** Runs stages under a heading each and remembers how long they took. */
export class Stages {
  readonly done: Report['stages'] = [];
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    try {
      return await this.#log.group(name, work);
    } finally {
      const before = this.done.find((stage) => stage.name === name);
      const millis = Math.round(performance.now() - start);
      if (before) before.millis += millis;
      else this.done.push({ name, millis });
    }
  }
}
