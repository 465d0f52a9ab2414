import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheKey, type SnapshotCache } from './cachekey.ts';
import { checkpoint, dump, isIntact, preflight, readManifest } from './checkpoint/checkpoint.ts';
import { Control } from './checkpoint/control.ts';
import type { Cleanup } from './cleanup.ts';
import type { Docker } from './engine/docker.ts';
import { freePort, waitUntilReady } from './engine/readiness.ts';
import { SnapshotError } from './errors.ts';
import type { Run } from './exec.ts';
import { imageFromDockerfile, imageFromPublished, imageFromReference } from './image/app.ts';
import { restoreReadyImage, warmableImage } from './image/restoreReady.ts';
import { ensureRuntime, LAUNCHER, PREFIX } from './image/runtime.ts';
import type { Inputs } from './inputs.ts';
import type { Log } from './log.ts';
import { measure } from './measure/measure.ts';
import type {
  AppImage,
  Measurements,
  PublishedApp,
  Report,
  RuntimeBundle,
  ScanResult,
  Snapshot,
  Traffic,
} from './model/index.ts';
import { manifestSchema } from './model/manifest.ts';
import { appName } from './naming.ts';
import { publish } from './publish/publish.ts';
import { findingsToText, knownSecretsFrom, scanSnapshot } from './scan/index.ts';
import { parseTraffic } from './traffic/parse.ts';
import { replay } from './traffic/replay.ts';
import { verify } from './verify/verify.ts';
import { warmSpec } from './warmup/container.ts';
import { type Warmup, warmup } from './warmup/warmup.ts';

/** What the pipeline works with; the doors choose each. */
export interface Tools {
  docker: Docker;
  run: Run;
  log: Log;
  cleanup: Cleanup;
  /** This project's runtime folder. */
  runtimeDirectory: string;
  /** Variables of the build's environment; those that look secret are searched for in the snapshot. */
  environment: Record<string, string>;
  /** Names kernel and CPU; a cached snapshot is only used where both are the same. */
  machine: string;
  cache?: SnapshotCache;
  commit?: string;
}

/** What a build leaves. The snapshot's folder is the door's to store or to drop. */
export interface Outcome {
  report: Report;
  scan: ScanResult;
  snapshot: Snapshot;
  /** Tag of the verified image. */
  image: string;
}

interface Prepared {
  name: string;
  traffic: Traffic;
  app: AppImage;
  published?: PublishedApp;
  runtime: RuntimeBundle;
}

/** Called with the result of the scan before it blocks, so that a door can store the findings. */
export type OnScan = (result: ScanResult) => Promise<void>;

/** Inputs -> published app -> image -> warmed container -> snapshot -> findings -> verified image -> report. */
export async function build(inputs: Inputs, tools: Tools, onScan: OnScan = async () => {}): Promise<Outcome> {
  const stages = new Stages(tools.log);
  const work = await workFolder(tools);
  const prepared = await prepare(inputs, tools, work, stages);
  const key = cacheKey(inputs, prepared, tools.machine);
  const cached = await stages.run('cache', () => fromCache(key, work, tools));
  const taken = cached ?? (await warmAndCheckpoint(inputs, prepared, tools, work, stages));

  const scan = await stages.run('scan', () => scanOf(taken.snapshot, inputs, tools));
  await onScan(scan);
  if (scan.findings.length > 0)
    throw new SnapshotError('DS4001', `The snapshot holds ${scan.findings.length} secret(s); nothing of it is kept.`, {
      detail: findingsToText(scan),
    });
  const { rules, knownSecrets, bytes } = scan;
  taken.snapshot.manifest.scan = { verdict: 'clean', rules, knownSecrets, bytes };

  const image = inputs.tag ?? `dotnet-snapshot/${prepared.name}:restore-ready`;
  const candidate = `dotnet-snapshot/${prepared.name}:candidate-${Date.now().toString(36)}`;
  tools.cleanup.defer(`image ${candidate}`, () => tools.docker.removeImage(candidate));
  await stages.run('image', () => restoreReadyImage(prepared.app, prepared.runtime, taken.snapshot, candidate, tools));
  const runOptions = {
    port: inputs.port,
    readyPath: inputs.readyPath,
    readyMillis: inputs.readyMillis,
    seccompProfile: join(tools.runtimeDirectory, 'seccomp.json'),
    ...(inputs.network !== undefined && { network: inputs.network }),
  };
  const verified = await stages.run('verify', () =>
    verify(
      prepared.traffic,
      taken.warmup.lastAnswers,
      { ...runOptions, image: candidate, clones: inputs.clones },
      { ...tools, replay },
    ),
  );
  const measurements = await stages.run(
    'measure',
    async (): Promise<Measurements> =>
      taken.measurements ??
      measure(
        prepared.traffic,
        {
          ...runOptions,
          appImage: prepared.app.reference,
          appUser: prepared.app.user,
          restoreReadyImage: candidate,
          env: inputs.env,
          pairs: inputs.pairs,
        },
        { ...tools, replay },
      ),
  );
  await tools.docker.tag(candidate, image);
  const report = describe(prepared, taken, {
    scan,
    verified,
    measurements,
    image,
    stages: stages.done,
    commit: tools.commit,
  });
  if (!cached) await toCache(key, taken.snapshot, report, tools);
  return { report, scan, snapshot: taken.snapshot, image };
}

/** A dry run: everything up to the checkpoint, which is tried and thrown away. Throws what would block a build. */
export async function check(inputs: Inputs, tools: Tools): Promise<{ name: string; warmup: Warmup }> {
  const stages = new Stages(tools.log);
  const prepared = await prepare(inputs, tools, await workFolder(tools), stages);
  const warmed = await warm(inputs, prepared, tools, stages, 1);
  await stages.run('checkpoint', async () => {
    await warmed.control.prepare();
    const { pid } = await warmed.control.process();
    await dump(warmed.control, pid, tools.docker, warmed.container, true);
  });
  await tools.docker.remove(warmed.container);
  return { name: prepared.name, warmup: warmed.warmup };
}

async function workFolder({ cleanup }: Tools): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-'));
  cleanup.defer(`folder ${work}`, () => rm(work, { recursive: true, force: true }));
  return work;
}

async function prepare(inputs: Inputs, tools: Tools, work: string, stages: Stages): Promise<Prepared> {
  const { docker, cleanup } = tools;
  const traffic = await parseTraffic(inputs.trafficFile);
  await docker.requireEngine();
  cleanup.defer('containers', () => docker.removeAll());
  const { source } = inputs;
  const published =
    source.kind === 'project'
      ? await stages.run('publish', () => publish(source, join(work, 'publish'), tools))
      : undefined;
  const name = appName(inputs);
  const { app, runtime } = await stages.run('image', async () => ({
    app: await appImage(inputs, published, `dotnet-snapshot/${name}:app`, tools),
    runtime: await ensureRuntime(tools.runtimeDirectory, tools),
  }));
  return { name, traffic, app, runtime, ...(published && { published }) };
}

function appImage(inputs: Inputs, published: PublishedApp | undefined, tag: string, tools: Tools): Promise<AppImage> {
  const { source } = inputs;
  const options = {
    tag,
    ...(inputs.user !== undefined && { user: inputs.user }),
    ...(inputs.baseImage !== undefined && { baseImage: inputs.baseImage }),
  };
  if (source.kind === 'dockerfile') return imageFromDockerfile(source.path, options, tools);
  if (source.kind === 'image') return imageFromReference(source.reference, inputs.user, tools);
  return imageFromPublished(published!, options, tools);
}

interface Warmed {
  container: string;
  control: Control;
  criuVersion: string;
  warmup: Warmup;
}

async function warm(
  inputs: Inputs,
  prepared: Prepared,
  tools: Tools,
  stages: Stages,
  maxRounds: number,
): Promise<Warmed> {
  const { docker, cleanup } = tools;
  const image = `dotnet-snapshot/${prepared.name}:warm-${Date.now().toString(36)}`;
  cleanup.defer(`image ${image}`, () => docker.removeImage(image));
  return stages.run('warmup', async () => {
    await warmableImage(prepared.app, prepared.runtime, image, tools);
    const host = await freePort();
    const origin = `http://127.0.0.1:${host}`;
    const options = {
      env: inputs.env,
      publish: { host, container: inputs.port },
      ...(inputs.network !== undefined && { network: inputs.network }),
    };
    const paths = { launcher: LAUNCHER, companion: `${PREFIX}/companion/DotnetSnapshot.Companion.dll` };
    const container = await docker.create(warmSpec(image, prepared.app, options, paths));
    cleanup.defer(`container ${container.slice(0, 12)}`, () => docker.remove(container));
    await docker.start(container);
    const control = new Control(docker, container, LAUNCHER);
    await requireReady(container, origin + inputs.readyPath, inputs.readyMillis, docker);
    const criuVersion = await preflight(control);
    const warmed = await warmup(
      {
        origin,
        compiledMethods: async () => (await control.jit()).methods,
        running: async () => (await docker.state(container)).running,
        logs: () => docker.logs(container),
      },
      prepared.traffic,
      { maxRounds, maxMillis: inputs.warmupMillis },
      { replay, log: tools.log },
    );
    return { container, control, criuVersion, warmup: warmed };
  });
}

async function requireReady(container: string, url: string, millis: number, docker: Docker): Promise<void> {
  let gone = false;
  const end = () => {
    gone = true;
  };
  docker.wait(container).then(end, end);
  const readiness = await waitUntilReady(url, Date.now() + millis, () => gone);
  if (readiness.readyAt !== undefined) return;
  const { running, exitCode } = await docker.state(container);
  const detail = await docker.logs(container);
  if (!running)
    throw new SnapshotError('DS3002', `The app ended with exit code ${exitCode} before it was ready.`, { detail });
  const answer =
    readiness.lastStatus === undefined ? 'nothing answered' : `the last answer had status ${readiness.lastStatus}`;
  throw new SnapshotError(
    'DS3001',
    `The app was not ready after ${millis / 1000} s: ${answer} at ${new URL(url).pathname}.`,
    { detail },
  );
}

/** The most rounds of the traffic; steady apps need a handful. */
const MAX_ROUNDS = 30;

interface Taken {
  snapshot: Snapshot;
  warmup: Warmup;
  /** Present where the snapshot comes from the cache. */
  measurements?: Measurements;
}

async function warmAndCheckpoint(
  inputs: Inputs,
  prepared: Prepared,
  tools: Tools,
  work: string,
  stages: Stages,
): Promise<Taken> {
  const warmed = await warm(inputs, prepared, tools, stages, MAX_ROUNDS);
  const snapshot = await stages.run('checkpoint', () =>
    checkpoint(
      warmed.container,
      warmed.control,
      { ...prepared, criuVersion: warmed.criuVersion, directory: join(work, 'snapshot', 'checkpoint') },
      tools,
    ),
  );
  await tools.docker.remove(warmed.container);
  return { snapshot, warmup: warmed.warmup };
}

function scanOf(snapshot: Snapshot, inputs: Inputs, { environment, log }: Tools): Promise<ScanResult> {
  const knownSecrets = knownSecretsFrom({ ...environment, ...inputs.env }, inputs.secrets);
  return scanSnapshot(snapshot.directory, { knownSecrets, log });
}

/** The snapshot that an unchanged app left in the cache; undefined for none, or for one that is not what its manifest says. */
async function fromCache(key: string, work: string, tools: Tools): Promise<Taken | undefined> {
  if (!(await tools.cache?.restore(key))) return undefined;
  const { directory } = tools.cache!;
  try {
    const manifest = await readManifest(join(directory, 'manifest.json'), (value) => manifestSchema.parse(value));
    if (!(await isIntact(join(directory, 'checkpoint'), manifest)))
      throw new Error('its files are not those that its manifest names');
    const report = tools.cache!.parseReport(JSON.parse(await readFile(join(directory, 'report.json'), 'utf8')));
    const target = join(work, 'snapshot', 'checkpoint');
    await mkdir(join(work, 'snapshot'), { recursive: true });
    await cp(join(directory, 'checkpoint'), target, { recursive: true });
    tools.log.info(`the app is unchanged: snapshot ${manifest.id} comes from the cache`);
    return {
      snapshot: { directory: target, manifest, bytes: report.snapshot.bytes },
      warmup: { ...report.warmup, lastAnswers: [] },
      measurements: report.measurements,
    };
  } catch (error) {
    tools.log.warning(`The cached snapshot is not used: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

async function toCache(key: string, snapshot: Snapshot, report: Report, { cache }: Tools): Promise<void> {
  if (!cache) return;
  await rm(cache.directory, { recursive: true, force: true });
  await mkdir(cache.directory, { recursive: true });
  await cp(snapshot.directory, join(cache.directory, 'checkpoint'), { recursive: true });
  await writeFile(join(cache.directory, 'manifest.json'), JSON.stringify(snapshot.manifest));
  await writeFile(join(cache.directory, 'report.json'), JSON.stringify(report));
  await cache.save(key);
}

interface Results {
  scan: ScanResult;
  verified: { clones: number; answersCompared: number };
  measurements: Measurements;
  image: string;
  stages: Report['stages'];
  commit: string | undefined;
}

function describe(prepared: Prepared, taken: Taken, results: Results): Report {
  const { manifest } = taken.snapshot;
  const { findings, bytes, extents, rules, knownSecrets, millis } = results.scan;
  const { lastAnswers: _, ...warmup } = taken.warmup;
  return {
    version: 1,
    name: prepared.name,
    createdAt: new Date().toISOString(),
    app: {
      ...(prepared.published && {
        targetFramework: prepared.published.targetFramework,
        assembly: prepared.published.assembly,
      }),
      baseImage: prepared.app.baseImage,
      image: results.image,
    },
    snapshot: {
      id: manifest.id,
      bytes: taken.snapshot.bytes,
      criuVersion: manifest.criu.version,
      kernel: manifest.host.kernel,
      fromCache: taken.measurements !== undefined,
    },
    warmup,
    scan: { findings: findings.length, bytes, extents, rules, knownSecrets, millis: Math.round(millis) },
    verify: results.verified,
    measurements: results.measurements,
    stages: results.stages,
    ...(results.commit !== undefined && { commit: results.commit }),
  };
}

/** Runs stages under a heading each and remembers how long they took. */
class Stages {
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
