import { z } from 'zod';
import type { Docker } from '../engine/docker.ts';
import { SnapshotError } from '../errors.ts';
import { manifestSchema } from '../model/manifest.ts';

const processSchema = manifestSchema.shape.process.extend({
  kernel: z.string(),
  architecture: z.string(),
  monotonicSeconds: z.number(),
  cpuFeatures: z.string(),
});
const jitSchema = z.object({ methods: z.number() });
const prepareSchema = z.object({
  clearedPools: z.array(z.string()),
  heapBytesBefore: z.number(),
  heapBytesAfter: z.number(),
});

/** The launcher in a warming container, and through it the companion in the app. */
export class Control {
  readonly #docker: Docker;
  readonly #container: string;
  readonly #launcher: string;

  constructor(docker: Docker, container: string, launcher: string) {
    this.#docker = docker;
    this.#container = container;
    this.#launcher = launcher;
  }

  /** What the launcher sees of the app's process and machine. */
  process = () => this.#ask('process', processSchema);

  /** What the companion says of the .NET runtime. */
  runtime = () => this.#ask('runtime', manifestSchema.shape.runtime);

  /** Methods compiled by the JIT so far. */
  jit = () => this.#ask('jit', jitSchema);

  /** Empties connection pools and compacts the heap, right before the checkpoint. */
  prepare = () => this.#ask('prepare', prepareSchema);

  /** Runs criu inside the container with the launcher's capabilities. */
  criu(args: readonly string[]) {
    return this.#docker.exec(this.#container, [this.#launcher, 'criu', ...args]);
  }

  async #ask<T>(request: string, schema: z.ZodType<T>): Promise<T> {
    const result = await this.#docker.exec(this.#container, [this.#launcher, 'control', request]);
    if (result.code === 126 || result.code === 127 || /no such file|executable file not found/i.test(result.stderr))
      throw new SnapshotError('DS3005', 'The container has no dotnet-snapshot launcher.', { detail: result.stderr });
    const answer = result.code === 0 ? schema.safeParse(parseJson(result.stdout)) : undefined;
    if (!answer?.success)
      throw new SnapshotError('DS3002', `The companion inside the app does not answer "${request}".`, {
        detail: `${result.stdout}${result.stderr}`,
        fix: 'The app must be a .NET 8 or newer app that loads DOTNET_STARTUP_HOOKS; trimmed apps need StartupHookSupport=true.',
      });
    return answer.data;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
