import { type ContainerSpec, containerArguments, productionSpec } from '../../src/engine/container.ts';
import { addressOf, docker, statusOf } from './cli.ts';

export interface CloneOptions {
  env?: Record<string, string>;
  /** What differs from production's container; undefined for what it shall not have. */
  spec?: { [Key in keyof ContainerSpec]?: ContainerSpec[Key] | undefined };
  /** Further flags for docker run. */
  flags?: string[];
  /** In place of the image's command. */
  command?: string[];
}

/** A started container of a restore-ready image. */
export class Clone {
  readonly container: string;
  readonly origin: string;

  constructor(container: string, origin: string) {
    this.container = container;
    this.origin = origin;
  }

  /** The JSON that the app answers with. */
  async get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.origin}${path}`);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** The container's log so far. */
  async logs(): Promise<{ stdout: string; stderr: string }> {
    return docker(['logs', this.container]);
  }

  /** Sends a signal; resolves to the container's exit code and how long it took to end, in milliseconds. */
  async end(signal: string): Promise<{ code: number; millis: number }> {
    const start = performance.now();
    await docker(['kill', '--signal', signal, this.container]);
    const code = Number((await docker(['wait', this.container])).stdout);
    return { code, millis: performance.now() - start };
  }
}

/** The containers that a test file starts; all go with {@link Clones.remove}. */
export class Clones {
  readonly #containers: string[] = [];
  readonly #port: number;

  constructor(port = 8080) {
    this.#port = port;
  }

  /** Starts a clone as production does, without waiting for it. */
  start(image: string, { env, spec, flags = [], command }: CloneOptions = {}): Promise<Clone> {
    const production = productionSpec(image);
    const container = { ...production, ...spec, ...(env && { env }), ...(command && { command }) } as ContainerSpec;
    return this.#run([...flags, ...containerArguments(container)]);
  }

  /** Starts a clone whose monotonic clock is `offset` seconds ahead of (or behind) this machine's. Needs a privileged container. */
  startWithClock(image: string, offset: number, command: string): Promise<Clone> {
    const script = [
      // The pipes are root's as the container is; the app must be able to open them as its own user.
      'chown 1654 /proc/self/fd/1 /proc/self/fd/2',
      `exec unshare --time --monotonic ${offset} --fork setpriv --reuid 1654 --regid 1654 --groups 1654 /opt/dotnet-snapshot/bin/launcher run -- ${command}`,
    ].join(' && ');
    const env = ['--env', 'DOTNET_SNAPSHOT=require'];
    return this.#run(['--privileged', '--user', '0', ...env, '--entrypoint', 'sh', image, '-c', script]);
  }

  /** Waits until the clone answers at `/`. */
  async ready(clone: Clone): Promise<Clone> {
    await statusOf(`${clone.origin}/`, (status) => status === 200);
    return clone;
  }

  async remove(): Promise<void> {
    if (this.#containers.length > 0) await docker(['rm', '--force', ...this.#containers.splice(0)]);
  }

  async #run(words: string[]): Promise<Clone> {
    const container = (await docker(['run', '--detach', ...words])).stdout.trim();
    this.#containers.push(container);
    return new Clone(container, `http://${await addressOf(container)}:${this.#port}`);
  }
}
