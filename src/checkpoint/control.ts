import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { Conversation } from '../engine/conversation.ts';
import type { Docker } from '../engine/docker.ts';
import { SnapshotError } from '../errors.ts';
import type { Access } from '../model/index.ts';
import { type Manifest, manifestSchema } from '../model/manifest.ts';
import { parseWritten, type WrittenFile } from './files.ts';
import { explainSilence, HELLO_MS, hasRuntime, type Silence } from './hello.ts';
import { requireAppAlone } from './processes.ts';
import { keysSchema, risksSchema } from './risks.ts';

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
  /** False where the app has no ASP.NET Core host whose requests could be held. */
  gate: z.boolean(),
  /** Requests that had not ended at the deadline. */
  inFlight: z.number(),
  /** False where the JIT was still at work, which then goes on in each restored app. */
  jitQuiet: z.boolean(),
  /** False where a library in the app has chosen its functions by this machine's CPU, and will keep to them. */
  choosesAnew: z.boolean(),
  /** Buffers that were cleared of what requests left in them. */
  clearedLeftovers: z.array(z.string()),
  /** How long hooks may take. */
  hookSeconds: z.number(),
  /** Settings that the app's code reads only when it starts, and assemblies that could not be looked at for them. */
  startReads: z.object({ variables: z.array(z.string()), keys: z.array(z.string()), unread: z.array(z.string()) }),
  /** Connections and files, such as `tcp 10.0.0.1:5432`. */
  open: z.array(z.string()),
  /** What the app forgot, as {@link Forgotten} has it. */
  forgottenKeys: z.array(
    z.object({
      id: z.string(),
      forms: z.array(z.object({ start: z.string(), length: z.number(), sha256: z.string() })),
    }),
  ),
  endedTokens: z.array(z.string()),
  /** What the warmup left in queues, such as `3 of Shop.Mail in a channel`. */
  waiting: z.array(z.string()).default([]),
  /** Paths of open databases of SQLite that go on in a clone. */
  sqlite: z.array(z.string()),
});
const canariesSchema = z.object({
  canaries: z.array(z.object({ encoding: z.string(), seed: z.uuid({ version: 'v4' }) })).min(1),
});
const configurationSchema = z.object({
  entries: z.array(z.object({ key: z.string(), value: z.string() })),
  next: z.number().int().positive().nullable(),
});
const helloSchema = z.object({ hello: z.literal(true) });
const warmSchema = z.object({ ran: z.number() });
const resumeSchema = z.object({ resumed: z.literal(true) });
const failureSchema = z.object({ error: z.string(), code: z.string().optional() });
const uniqueSchema = z.object({ values: z.array(z.object({ source: z.string(), value: z.string() })).min(1) });

/** What the companion did, and found, right before the checkpoint. */
export type Preparation = z.infer<typeof prepareSchema>;

/** A setting of the app as its configuration has it. The value may be a secret. */
export interface ConfigurationEntry {
  /** `Section:Key`. */
  key: string;
  value: string;
}

/** Ranges of addresses: pages of the snapshot that were only read, those that were written, and what is there of other files. */
export interface TouchedPages {
  read: { start: bigint; end: bigint }[];
  written: { start: bigint; end: bigint }[];
  files: { start: bigint; end: bigint }[];
}

/** The most answers that a configuration is read from: some thousand settings each. */
const MOST_PAGES = 1000;

/** The launcher in a warming container, and through it the companion in the app. */
export class Control {
  readonly #docker: Docker;
  readonly #container: string;
  readonly #launcher: string;
  readonly #criu: string;
  #conversation: Conversation | undefined;

  /** `programs` are paths inside the container. */
  constructor(docker: Docker, container: string, programs: { launcher: string; criu: string }) {
    this.#docker = docker;
    this.#container = container;
    this.#launcher = programs.launcher;
    this.#criu = programs.criu;
  }

  /**
   * Waits until the companion says hello, which it does before the app's own code runs. Throws DS3012 with what keeps it
   * out where it is silent for too long after the .NET runtime came into the app's process or `ready` was fulfilled,
   * DS3002 where the app ends.
   */
  async hello(ready: Promise<unknown>): Promise<void> {
    let over = false;
    const answer = this.#ask('hello', helloSchema).finally(() => {
      over = true;
    });
    let since: number | undefined;
    ready.then(
      () => {
        since ??= Date.now();
      },
      () => {
        over = true;
      },
    );
    const watch = async () => {
      for (let waits = 1; !over; waits++) {
        await setTimeout(500);
        // A look takes numbers of the container's processes, so it is not taken often.
        if (over || waits % 6 !== 0) continue;
        const silence = await this.#silence();
        if (hasRuntime(silence)) since ??= Date.now();
        if (!over && since !== undefined && Date.now() - since >= HELLO_MS)
          throw explainSilence(silence, await this.#docker.logs(this.#container));
      }
    };
    await Promise.race([answer, watch()]);
  }

  async #silence(): Promise<Silence> {
    const list = async (what: string) => (await this.#docker.exec(this.#container, [this.#launcher, what])).stdout;
    return { processes: await list('processes'), files: await list('files') };
  }

  /** What the launcher sees of the app's process and machine. */
  process = () => this.#ask('process', processSchema);

  /** What the companion says of the .NET runtime. */
  runtime = () => this.#ask('runtime', manifestSchema.shape.runtime);

  /** Methods compiled by the JIT so far. */
  jit = () => this.#ask('jit', jitSchema);

  /** Private keys that the app holds. To be asked before {@link prepare}, whose collections take what the search leaves behind. */
  keys = () => this.#ask('keys', keysSchema);

  /** Members of the app's own code that would be the same in every clone. */
  risks = () => this.#ask('risks', risksSchema);

  /**
   * The app's settings with values of 8 characters and more, for the scan to know; never to be logged. None for an app
   * without a host. To be asked before {@link prepare}, whose collections take what the answer leaves in the app's memory.
   */
  async configuration(): Promise<ConfigurationEntry[]> {
    const found: ConfigurationEntry[] = [];
    let from: number | null = 0;
    for (let page = 0; from !== null && page < MOST_PAGES; page++) {
      const { entries, next }: z.infer<typeof configurationSchema> = await this.#ask(
        `configuration ${from}`,
        configurationSchema,
        { confidential: true },
      );
      found.push(...entries);
      from = next;
    }
    return found;
  }

  /**
   * Plants random values in the app's memory, one in each encoding, in place of earlier ones. Returns what they are known
   * by: the SHA-256 of each, in hex.
   */
  async canaries(): Promise<NonNullable<Manifest['canaries']>> {
    const { canaries } = await this.#ask('canaries', canariesSchema);
    return canaries.map(({ encoding, seed }) => ({
      encoding,
      sha256: createHash('sha256')
        .update(`dscanary{${seed.replaceAll('-', '')}}`)
        .digest('hex'),
    }));
  }

  /** Runs the app's own warmup actions once. Throws DS3007 where one fails. */
  warm = () => this.#ask('warm', warmSchema);

  /**
   * Holds requests, runs the app's hooks, empties connection pools, clears what requests left in buffers, and compacts the
   * heap, right before the checkpoint. Hooks that are paths of the app are asked as `access` says.
   * Throws DS3007 where a hook fails.
   */
  prepare = ({ protocol = 'http', host }: Pick<Access, 'protocol' | 'host'>) =>
    this.#ask(`prepare ${protocol} ${host}`, prepareSchema);

  /** Lets an app that goes on after its checkpoint answer again; harmless where it does already. */
  resume = () => this.#ask('resume', resumeSchema);

  /** Values that no other clone may have, made by a restored app that runs with DOTNET_SNAPSHOT=verify. */
  unique = () => this.#ask('unique', uniqueSchema);

  /** Throws DS3008 and DS3011 where the container holds more than the app, or the entrypoint changed its variables. */
  async requireAppAlone(): Promise<void> {
    const { code, stdout, stderr } = await this.#docker.exec(this.#container, [this.#launcher, 'processes']);
    if (code !== 0)
      throw new SnapshotError('DS3002', 'The processes of the container can’t be listed.', { detail: stderr });
    requireAppAlone(stdout);
  }

  /** Files that the app has mapped, with those that the host reads beside them, and its eventfds that are semaphores. */
  async files(): Promise<Pick<Manifest, 'appFiles' | 'semaphores'>> {
    const { code, stdout, stderr } = await this.#docker.exec(this.#container, [this.#launcher, 'files']);
    if (code !== 0)
      throw new SnapshotError('DS3002', 'The files that the app uses can’t be listed.', { detail: stderr });
    return parseFiles(stdout);
  }

  /**
   * Pages of its snapshot that an app has read or written which was restored with DOTNET_SNAPSHOT=record; empty where that
   * can't be seen, which costs later restores time only.
   */
  async touched(): Promise<TouchedPages> {
    const { code, stdout } = await this.#docker.exec(this.#container, [this.#launcher, 'touched']);
    const lines = code === 0 ? stdout.split('\n') : [];
    const ranges = (use: 'r' | 'w' | 'f') =>
      lines
        .map((line) => /^([rwf]) ([0-9a-f]+)-([0-9a-f]+)$/.exec(line))
        .filter((match) => match?.[1] === use)
        .map((match) => ({ start: BigInt(`0x${match![2]}`), end: BigInt(`0x${match![3]}`) }));
    return { read: ranges('r'), written: ranges('w'), files: ranges('f') };
  }

  /** Ports of TCP that programs of the container listen on, ascending; none where that can't be seen. Needs no companion. */
  async ports(): Promise<number[]> {
    const { code, stdout } = await this.#docker.exec(this.#container, [this.#launcher, 'ports']);
    const found = code === 0 ? [...stdout.matchAll(/^listen (\d+)$/gm)].map(([, port]) => Number(port)) : [];
    return [...new Set(found)].sort((a, b) => a - b);
  }

  /** Runs criu inside the container as the app's user, with the capabilities that its file carries. */
  criu(args: readonly string[], env: Record<string, string> = {}) {
    return this.#docker.exec(this.#container, [this.#criu, ...args], env);
  }

  /** Files that the app has made or has open at places that `words` name, as `launcher written` lists them. */
  async written(words: readonly string[]): Promise<WrittenFile[]> {
    const argv = [this.#launcher, 'written', '--', ...words];
    const { code, stdout, stderr } = await this.#docker.exec(this.#container, argv);
    if (code !== 0)
      throw new SnapshotError('DS3002', 'The files that the app has made can’t be listed.', { detail: stderr });
    return parseWritten(stdout);
  }

  /** The launcher's path: it is CRIU's action script, too. */
  get launcher(): string {
    return this.#launcher;
  }

  /** `confidential` keeps the answer out of the error where it is not what was expected. */
  async #ask<T>(request: string, schema: z.ZodType<T>, { confidential = false } = {}): Promise<T> {
    // One program for all questions: each start would take numbers that the app's threads then skip, and a restore must use up.
    this.#conversation ??= this.#docker.converse(this.#container, [this.#launcher, 'control']);
    const result = await this.#conversation.ask(request);
    const missing = /no such file|executable file not found/i.test(`${result.stdout}${result.stderr}`);
    if (result.code === 126 || result.code === 127 || (missing && parseJson(result.stdout) === undefined))
      throw new SnapshotError('DS3005', 'The container has no dotnet-snapshot launcher.', { detail: result.stderr });
    const line = result.code === 0 ? parseJson(result.stdout) : undefined;
    const failure = failureSchema.safeParse(line);
    if (failure.success) throw failureOf(request, failure.data);
    const answer = schema.safeParse(line);
    if (!answer.success)
      throw new SnapshotError('DS3002', `The companion inside the app does not answer "${request}".`, {
        detail: `${confidential ? '' : result.stdout}${result.stderr}`,
        fix: 'The app must be a .NET 8 or newer app that loads DOTNET_STARTUP_HOOKS, and so be published neither trimmed nor with NativeAOT.',
      });
    return answer.data;
  }
}

/** Lines `file BYTES SECONDS XXH64 PATH` and `semaphore DESCRIPTOR`. */
function parseFiles(text: string): Pick<Manifest, 'appFiles' | 'semaphores'> {
  const lines = text.split('\n');
  const matches = (pattern: RegExp) => lines.map((line) => pattern.exec(line)).filter((match) => match !== null);
  return {
    appFiles: matches(/^file (\d+) (-?\d+) ([0-9a-f]{16}) (\/.*)$/).map(([, bytes, modified, xxh64, path]) => ({
      path: path!,
      bytes: Number(bytes),
      modified: Number(modified),
      xxh64: xxh64!,
    })),
    semaphores: matches(/^semaphore (\d+)$/).map(([, fd]) => Number(fd)),
  };
}

function failureOf(request: string, { error, code }: z.infer<typeof failureSchema>): SnapshotError {
  // The words come out of the app's process, so they choose no other code.
  if (code === 'DS3007') return new SnapshotError('DS3007', error);
  return new SnapshotError('DS3002', `The companion inside the app failed at "${request}": ${error}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
