import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { SnapshotError } from '../errors.ts';
import type { ExecOptions, ExecResult, Run } from '../exec.ts';
import { type ContainerSpec, containerArguments } from './container.ts';
import { Conversation } from './conversation.ts';
import {
  type ContainerInfo,
  type ContainerState,
  containerInfo,
  containerState,
  type ImageInfo,
  imageInfo,
} from './inspect.ts';
import { type EngineFacts, unsuitable } from './suitable.ts';
import { parseSize, parseTimestamp, splitOnce, tail } from './text.ts';

/** How an image is built. */
export interface BuildOptions {
  /** Path; the file `Dockerfile` in the context where absent. */
  dockerfile?: string;
  tag: string;
  /** Further flags of `docker build`. */
  flags?: readonly string[];
  /** Gets each line that the builder prints. */
  onLine?: (line: string) => void;
  /** What a failed build's output tells, as an error. */
  explain?: (output: string) => Promise<SnapshotError | undefined>;
}

/** The Docker engine, through its command line: it finds contexts, credentials and remote hosts as the user set them up. */
export class Docker {
  readonly #run: Run;
  readonly #labels: Record<string, string>;
  /** In the names of all that this run makes for itself, so that no other run can take or replace it. */
  readonly runKey: string;

  /** `runId`, a UUID, labels every container that is to end with the run, so that all can be found and removed. */
  constructor(run: Run, runId: string) {
    this.#run = run;
    this.#labels = { 'dotnet-snapshot.run': runId };
    this.runKey = runId.replaceAll('-', '').slice(0, 12);
  }

  /** Throws DS2001 unless an engine answers. Returns its version. */
  async requireEngine(): Promise<string> {
    let result: ExecResult;
    try {
      result = await this.#run(['docker', 'version', '--format', '{{.Server.Version}}']);
    } catch {
      throw new SnapshotError('DS2001', 'There is no `docker` command on this machine.');
    }
    if (result.code !== 0)
      throw new SnapshotError('DS2001', 'The Docker engine does not answer.', { detail: result.stderr });
    return result.stdout.trim();
  }

  /** Throws DS2001 unless an engine answers that can checkpoint, and whose containers can be reached from here. */
  async requireCheckpointingEngine(): Promise<void> {
    await this.requireEngine();
    const read = async (args: string[]) => (await this.#docker(args, { allowFailure: true })).stdout.trim();
    const refusal = unsuitable({
      server: parsed(await read(['version', '--format', '{{json .Server}}'])),
      info: parsed(await read(['info', '--format', '{{json .}}'])),
      endpoint: await read(['context', 'inspect', '--format', '{{.Endpoints.docker.Host}}']),
      hostname: hostname(),
      contained: existsSync('/.dockerenv') || existsSync('/run/.containerenv'),
    });
    if (refusal) throw refusal;
  }

  /** The image, or undefined where this engine has none of that name. */
  async image(reference: string): Promise<ImageInfo | undefined> {
    const result = await this.#docker(['image', 'inspect', reference], { allowFailure: true });
    if (result.code !== 0) return undefined;
    return imageInfo(result.stdout);
  }

  /** Pulls an image; throws DS2009 where that fails. */
  async pull(reference: string): Promise<void> {
    const result = await this.#docker(['pull', '--quiet', reference], { allowFailure: true });
    if (result.code !== 0)
      throw new SnapshotError('DS2009', `The image ${reference} is not on this machine and can't be pulled.`, {
        detail: result.stderr,
      });
  }

  /** Like {@link image}; throws DS2009 where there is none. */
  async requireImage(reference: string): Promise<ImageInfo> {
    const image = await this.image(reference);
    if (!image) throw new SnapshotError('DS2009', `There is no image ${reference} on this machine.`);
    return image;
  }

  /**
   * Builds an image from a folder and returns its id. The tag must be one that no other run uses. Throws DS2004, or what
   * `explain` makes of the output of a build that failed.
   */
  async build(context: string, options: BuildOptions): Promise<string> {
    const { dockerfile, tag, flags = [], onLine, explain } = options;
    const file = dockerfile === undefined ? [] : ['--file', dockerfile];
    // Without the buildx component the command line refuses to build unless BuildKit is switched off.
    const result = await this.#run(['docker', 'build', ...flags, ...file, '--tag', tag, context], {
      env: { DOCKER_BUILDKIT: (await this.hasBuildKit()) ? '1' : '0' },
      ...(onLine && { onLine }),
    });
    if (result.code !== 0) {
      const output = `${result.stdout}\n${result.stderr}`;
      throwOnFullDisk(output);
      const explained = await explain?.(output);
      throw explained ?? new SnapshotError('DS2004', `The image ${tag} can't be built.`, { detail: tail(output, 25) });
    }
    return (await this.requireImage(tag)).id;
  }

  /** Whether the command line has the component by which the engine's newer builder is reached. */
  async hasBuildKit(): Promise<boolean> {
    return (await this.#run(['docker', 'buildx', 'version'])).code === 0;
  }

  /** Gives an image another name. An image that had it stays, without it. */
  async tag(image: string, name: string): Promise<void> {
    await this.#docker(['tag', image, name]);
  }

  /** Writes an image with its name and layers to a file, as `docker save` does. */
  async save(reference: string, file: string): Promise<void> {
    await this.#docker(['save', '--output', file, reference]);
  }

  /** Loads the images of such a file under their names. Throws where it is damaged. */
  async load(file: string): Promise<void> {
    await this.#docker(['load', '--input', file]);
  }

  /** Removes a name of an image, and the image with its last one. */
  async removeImage(reference: string): Promise<void> {
    await this.#docker(['image', 'rm', '--force', reference], { allowFailure: true });
  }

  /** Creates a container without starting it; returns its id. */
  async create(spec: ContainerSpec): Promise<string> {
    const labels = { ...(!spec.outlivesRun && this.#labels), ...spec.labels };
    const result = await this.#docker(['create', ...containerArguments({ ...spec, labels })]);
    return result.stdout.trim();
  }

  /** Throws DS2005 where the published port is taken. */
  async start(container: string): Promise<void> {
    const result = await this.#docker(['start', container], { allowFailure: true });
    if (result.code === 0) return;
    if (/port is already allocated|address already in use/.test(result.stderr))
      throw new SnapshotError('DS2005', 'The port for the container is in use.', { detail: result.stderr });
    throw engineFailure(['start'], result);
  }

  /** Runs a program in a running container; its exit code is part of the result. */
  exec(container: string, argv: readonly string[], env: Record<string, string> = {}): Promise<ExecResult> {
    const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    return this.#docker(['exec', '--workdir', '/', ...variables, container, ...argv], { allowFailure: true });
  }

  /** What differs in a container's own layer from its image, mounts not included. */
  async diff(container: string): Promise<{ kind: 'added' | 'changed' | 'deleted'; path: string }[]> {
    const kinds = { A: 'added', C: 'changed', D: 'deleted' } as const;
    const { stdout } = await this.#docker(['diff', container]);
    return stdout.split('\n').flatMap((line) => {
      const [, kind, path] = /^([ACD]) (\/.*)$/.exec(line) ?? [];
      return kind && path ? [{ kind: kinds[kind as keyof typeof kinds], path }] : [];
    });
  }

  /** A program in a running container that answers lines. It takes one start, and so one set of the container's PIDs. */
  converse(container: string, argv: readonly string[]): Conversation {
    return new Conversation(['docker', 'exec', '--interactive', '--workdir', '/', container, ...argv]);
  }

  /** The container of that name or id; undefined where this engine has none. */
  async container(nameOrId: string): Promise<ContainerInfo | undefined> {
    const result = await this.#docker(['container', 'inspect', nameOrId], { allowFailure: true });
    if (result.code !== 0) return undefined;
    return containerInfo(result.stdout);
  }

  async state(container: string): Promise<ContainerState> {
    const result = await this.#docker(['inspect', '--format', '{{json .State}}', container]);
    return containerState(result.stdout);
  }

  /** The part of the container's log that tells most: from an unhandled exception on, else the last 30 lines. */
  async logs(container: string): Promise<string> {
    const result = await this.#docker(['logs', '--tail', '300', container], { allowFailure: true });
    const log = `${result.stdout}${result.stderr}`;
    const exception = log.lastIndexOf('Unhandled exception');
    return exception < 0 ? tail(log, 30) : log.slice(exception).split('\n').slice(0, 12).join('\n');
  }

  /** Every line of the container's log with the time that the engine got it, in milliseconds since the epoch. */
  async logLines(container: string): Promise<{ at: number; text: string }[]> {
    const { stdout, stderr } = await this.#docker(['logs', '--timestamps', container], { allowFailure: true });
    return `${stdout}\n${stderr}`
      .split('\n')
      .filter(Boolean)
      .map((line) => splitOnce(line, ' '))
      .map(([at, text]) => ({ at: parseTimestamp(at), text }));
  }

  /** Waits until the container has ended; returns its exit code. */
  async wait(container: string): Promise<number> {
    return Number((await this.#docker(['wait', container])).stdout.trim());
  }

  /** Asks the container to end by SIGTERM and kills it after `seconds`. */
  async stop(container: string, seconds: number): Promise<void> {
    await this.#docker(['stop', '--time', String(seconds), container], { allowFailure: true });
  }

  /** Copies a folder or file out of a container, running or not. */
  async copyOut(container: string, from: string, to: string): Promise<void> {
    const result = await this.#docker(['cp', `${container}:${from}`, to], { allowFailure: true });
    if (result.code !== 0) {
      throwOnFullDisk(result.stderr);
      throw engineFailure(['cp'], result);
    }
  }

  /** Makes an empty folder in a container, running or not, that each of its users may write to. */
  async createFolder(container: string, path: string): Promise<void> {
    const directory = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-folder-'));
    try {
      await chmod(directory, 0o777);
      await this.#docker(['cp', directory, `${container}:${path}`]);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** The text of a file in a container, running or not; undefined where there is none. */
  async readFile(container: string, path: string): Promise<string | undefined> {
    const directory = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-file-'));
    try {
      const result = await this.#docker(['cp', `${container}:${path}`, join(directory, 'file')], {
        allowFailure: true,
      });
      return result.code === 0 ? await readFile(join(directory, 'file'), 'utf8') : undefined;
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  /** Memory that the containers use now, in bytes, without what the kernel can drop at once; in the given order. */
  async memory(containers: readonly string[]): Promise<number[]> {
    const result = await this.#docker([
      'stats',
      '--no-stream',
      '--no-trunc',
      '--format',
      '{{.ID}} {{.MemUsage}}',
      ...containers,
    ]);
    const usage = new Map(
      result.stdout
        .trim()
        .split('\n')
        .map((line) => splitOnce(line, ' ')),
    );
    return containers.map((container) => parseSize(usage.get(container) ?? ''));
  }

  async remove(container: string): Promise<void> {
    await this.#docker(['rm', '--force', '--volumes', container], { allowFailure: true });
  }

  /** Removes every container of this run, also those that an interrupted call had just made. */
  async removeAll(): Promise<void> {
    const filters = Object.entries(this.#labels).flatMap(([name, value]) => ['--filter', `label=${name}=${value}`]);
    const result = await this.#docker(['ps', '--all', '--quiet', ...filters], { allowFailure: true });
    for (const container of result.stdout.split('\n').filter(Boolean)) await this.remove(container);
  }

  async #docker(args: string[], options: ExecOptions & { allowFailure?: boolean } = {}): Promise<ExecResult> {
    const { allowFailure, ...execOptions } = options;
    const result = await this.#run(['docker', ...args], execOptions);
    if (result.code !== 0 && !allowFailure) {
      throwOnFullDisk(result.stderr);
      throw engineFailure(args, result);
    }
    return result;
  }
}

function engineFailure(args: string[], result: ExecResult): SnapshotError {
  return new SnapshotError('DS2001', `docker ${args[0]} failed.`, {
    detail: result.stderr,
    fix: 'See what Docker says above.',
  });
}

function throwOnFullDisk(output: string): void {
  if (/no space left on device|ENOSPC/i.test(output))
    throw new SnapshotError('DS2006', 'The disk is full.', { detail: tail(output, 3) });
}

/** What a command printed as JSON; empty where it printed something else, as engines that emulate Docker do. */
function parsed(json: string): EngineFacts['server'] & EngineFacts['info'] {
  try {
    return JSON.parse(json) ?? {};
  } catch {
    return {};
  }
}
