import { setTimeout as sleep } from 'node:timers/promises';
import type { ColdImage } from '../engine/cold.ts';
import type { Docker } from '../engine/docker.ts';
import type { Answer, Replay, Target, Traffic } from '../model/index.ts';
import { type CloneOptions, withColdStart } from './clone.ts';

/** Between two starts, so that times of whole seconds differ. */
const APART_MS = 1100;

/** Normal starts of the app's own image, with the settings of the clones: they tell what follows from the app alone. */
export class ColdStarts {
  readonly #traffic: Traffic;
  readonly #options: CloneOptions & { cold: ColdImage };
  readonly #tools: { docker: Docker; replay: Replay };
  readonly #rounds: number;
  /** Answers to all rounds of the traffic, for each start so far. */
  readonly answers: Answer[][] = [];

  constructor(
    traffic: Traffic,
    options: CloneOptions & { cold: ColdImage },
    tools: { docker: Docker; replay: Replay },
    rounds: number,
  ) {
    this.#traffic = traffic;
    this.#options = options;
    this.#tools = tools;
    this.#rounds = rounds;
  }

  /**
   * The answers of the first two, started at the first call. The second starts while the first runs, so that they have no
   * address in common either. Throws DS3001 or DS3002 where the app does not become ready.
   */
  async pair(): Promise<[Answer[], Answer[]]> {
    if (this.answers.length === 0)
      await withColdStart(this.#options, this.#tools.docker, async (_container, target) => {
        this.answers.push(await this.#replay(target));
        await sleep(APART_MS);
        await this.another();
      });
    return [this.answers[0]!, this.answers[1]!];
  }

  /** One more. */
  async another(): Promise<void> {
    await withColdStart(this.#options, this.#tools.docker, async (_container, target) => {
      this.answers.push(await this.#replay(target));
    });
  }

  async #replay(target: Target): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let round = 1; round <= this.#rounds; round++)
      answers.push(...(await this.#tools.replay(this.#traffic, target)));
    return answers;
  }
}
