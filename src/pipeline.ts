import { join } from 'node:path';
import { fromCache, type Taken, toCache } from './cached.ts';
import { cacheKey } from './cachekey.ts';
import {
  CHECKPOINT_FOLDER,
  type CheckpointContext,
  checkpoint,
  dump,
  preflight,
  tellPreparation,
} from './checkpoint/checkpoint.ts';
import { Control } from './checkpoint/control.ts';
import type { Risks } from './checkpoint/risks.ts';
import { describe } from './describe.ts';
import { SnapshotError } from './errors.ts';
import { restoreReadyImage } from './image/restoreReady.ts';
import { LAUNCHER } from './image/runtime.ts';
import { addWrittenPages } from './image/writtenPages.ts';
import type { CheckpointInputs, Inputs, WarmInputs } from './inputs.ts';
import { measure } from './measure/measure.ts';
import type { AppImage, KnownSecret, Report, ScanResult, Snapshot, Traffic } from './model/index.ts';
import { type RunningApp, settleLater, warmLabels } from './ondemand.ts';
import { type Prepared, type PreparedApp, prepare, prepareApp, workFolder } from './prepare.ts';
import { findingsToText, knownSecretsFrom, scanSnapshot } from './scan/index.ts';
import { Stages } from './stages.ts';
import type { Tools } from './tools.ts';
import { parseTraffic } from './traffic/parse.ts';
import { verify } from './verify/verify.ts';
import { replayToApp as replay, warm, warmedWith } from './warm.ts';
import { cpuUsed } from './warmup/isa.ts';
import type { Warmup } from './warmup/warmup.ts';

/** What a build leaves. The snapshot's folder is the door's to store or to drop. */
export interface Outcome {
  report: Report;
  scan: ScanResult;
  snapshot: Snapshot;
  /** Tag of the verified image. */
  image: string;
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
  taken.snapshot.manifest.ready = { port: inputs.port, path: inputs.readyPath };
  const scan = await stages.run('scan', () => requireClean(taken.snapshot, inputs, tools, onScan));
  const candidate = await stages.run('image', () => candidateImage(prepared, taken.snapshot, tools));
  const runOptions = productionOptions(inputs, tools);
  const clones = cloneTools(tools);
  const verified = await stages.run('verify', () =>
    verify(
      prepared.traffic,
      taken.warmup.lastAnswers,
      { ...runOptions, image: candidate, clones: inputs.clones },
      clones,
    ),
  );
  await stages.run('image', () => addWrittenPages(candidate, prepared.app.user, clones.written(), tools));
  const measurements = await stages.run(
    'measure',
    async () =>
      taken.measurements ??
      measure(
        prepared.traffic,
        {
          ...runOptions,
          appImage: prepared.app.reference,
          appUser: prepared.app.user,
          restoreReadyImage: candidate,
          pairs: inputs.pairs,
        },
        { ...tools, replay },
      ),
  );
  const image = inputs.tag ?? defaultTag(prepared.name);
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
export async function check(inputs: Inputs, tools: Tools): Promise<{ name: string; warmup: Warmup; risks: Risks }> {
  const stages = new Stages(tools.log);
  const prepared = await prepare(inputs, tools, await workFolder(tools), stages);
  const warmed = await warm(inputs, prepared, tools, stages, { maxRounds: 1 });
  const risks = await warmed.control.risks();
  await stages.run('checkpoint', async () => {
    tellPreparation(await warmed.control.prepare(), tools.log);
    const { pid } = await warmed.control.process();
    await dump(warmed.control, pid, { keepRunning: true });
  });
  await tools.docker.remove(warmed.container);
  return { name: prepared.name, warmup: warmed.warmup, risks };
}

/** Starts the app as a build does and leaves it running, for {@link checkpointRunning}. */
export async function start(inputs: WarmInputs, tools: Tools): Promise<{ container: string; url: string }> {
  const stages = new Stages(tools.log);
  const traffic = inputs.trafficFile === undefined ? undefined : await parseTraffic(inputs.trafficFile);
  const app = await prepareApp(inputs, tools, await workFolder(tools), stages);
  const warmable = { ...app, ...(traffic && { traffic }) };
  const warmed = await warm(inputs, warmable, tools, stages, { keepWith: warmLabels(inputs, warmable) });
  warmed.keep();
  return { container: warmed.container, url: warmed.origin };
}

/**
 * Running app -> snapshot -> findings -> image that was seen to restore. The app ends with its checkpoint, and its
 * container is removed, unless it is to be kept.
 */
export async function checkpointRunning(
  app: RunningApp,
  inputs: CheckpointInputs,
  tools: Tools,
  onScan: OnScan,
): Promise<{ snapshot: Snapshot; image: string }> {
  const stages = new Stages(tools.log);
  const traffic = inputs.trafficFile === undefined ? NO_TRAFFIC : await parseTraffic(inputs.trafficFile);
  tools.cleanup.defer('containers', () => tools.docker.removeAll());
  const directory = join(await workFolder(tools), 'snapshot', 'checkpoint');
  // One of its own: an earlier checkpoint of this app has left its files.
  const imagesFolder = `${CHECKPOINT_FOLDER}/${Date.now().toString(36)}`;
  const settled = settleLater(app, tools);
  const snapshot = await stages.run('checkpoint', async () => {
    const criuVersion = await preflight(app.control);
    await tools.docker.createFolder(app.container, imagesFolder);
    const cpu = cpuOf({ isa: app.isa, env: app.given }, app.app, tools);
    const context = { ...app, cpu, criuVersion, directory, imagesFolder, keepRunning: inputs.keep };
    return checkpoint(app.container, app.control, context, tools);
  });
  if (inputs.keep) settled();
  snapshot.manifest.ready = { port: app.port, path: app.readyPath };
  await stages.run('scan', () => requireClean(snapshot, { ...inputs, env: app.env }, tools, onScan));
  const candidate = await stages.run('image', () => candidateImage(app, snapshot, tools));
  const clones = cloneTools(tools);
  await stages.run('verify', () =>
    verify(
      traffic,
      [],
      { ...productionOptions({ ...app, env: app.given }, tools), image: candidate, clones: 1 },
      clones,
    ),
  );
  await stages.run('image', () => addWrittenPages(candidate, app.app.user, clones.written(), tools));
  const image = inputs.tag ?? defaultTag(app.name);
  await tools.docker.tag(candidate, image);
  return { snapshot, image };
}

/** Replayed where nobody says what an app answers to: a clone is then only asked whether it is ready. */
const NO_TRAFFIC: Traffic = { file: '', digest: '', exchanges: [] };

async function warmAndCheckpoint(
  inputs: Inputs,
  prepared: Prepared,
  tools: Tools,
  work: string,
  stages: Stages,
): Promise<Taken> {
  const warmed = await warm(inputs, prepared, tools, stages);
  const snapshot = await stages.run('checkpoint', () =>
    checkpoint(
      warmed.container,
      warmed.control,
      {
        ...prepared,
        traffic: warmedWith(inputs, prepared),
        cpu: cpuOf(inputs, prepared.app, tools),
        criuVersion: warmed.criuVersion,
        directory: join(work, 'snapshot', 'checkpoint'),
      },
      tools,
    ),
  );
  await tools.docker.remove(warmed.container);
  return { snapshot, warmup: warmed.warmup };
}

/** How the checkpoint tells what the snapshot may ask of a CPU; says where that is another level than was asked for. */
function cpuOf({ isa, env }: Pick<WarmInputs, 'isa' | 'env'>, app: AppImage, { log }: Tools): CheckpointContext['cpu'] {
  return (host, choosesAnew) => {
    const cpu = cpuUsed(isa, { ...app.env, ...env }, host, choosesAnew);
    if (cpu.isa !== isa) log.info(`isa ${isa} was asked for; this machine has ${cpu.isa}`);
    return cpu;
  };
}

/** What clones are asked, and what the first of them has written by its first answer. */
function cloneTools(tools: Tools) {
  const control = (container: string) => new Control(tools.docker, container, LAUNCHER);
  let written: string | undefined;
  return {
    ...tools,
    replay,
    unique: async (container: string) => (await control(container).unique()).values,
    onReady: async (container: string) => {
      written ??= await control(container).written();
    },
    written: () => written ?? '',
  };
}

/** Throws DS4001 where the snapshot holds a secret; writes the verdict into its manifest where it holds none. */
async function requireClean(
  snapshot: Snapshot,
  { env, secrets }: { env: Record<string, string>; secrets: KnownSecret[] },
  { environment, log }: Tools,
  onScan: OnScan,
): Promise<ScanResult> {
  const scan = await scanSnapshot(snapshot.directory, {
    knownSecrets: knownSecretsFrom({ ...environment, ...env }, secrets),
    log,
  });
  await onScan(scan);
  if (scan.findings.length > 0)
    throw new SnapshotError('DS4001', `The snapshot holds ${scan.findings.length} secret(s); nothing of it is kept.`, {
      detail: findingsToText(scan),
    });
  const { rules, knownSecrets, bytes } = scan;
  snapshot.manifest.scan = { verdict: 'clean', rules, knownSecrets, bytes };
  return scan;
}

/** The restore-ready image under a name for this run only: it gets its tag when it is verified. */
async function candidateImage(
  { name, app, runtime }: Pick<PreparedApp, 'name' | 'app' | 'runtime'>,
  snapshot: Snapshot,
  tools: Tools,
): Promise<string> {
  const candidate = `dotnet-snapshot/${name}:candidate-${Date.now().toString(36)}`;
  tools.cleanup.defer(`image ${candidate}`, () => tools.docker.removeImage(candidate));
  await restoreReadyImage(app, runtime, snapshot, candidate, tools);
  return candidate;
}

function defaultTag(name: string): string {
  return `dotnet-snapshot/${name}:restore-ready`;
}

/** How a container of the image is started as production does, and known to be ready. */
function productionOptions(
  {
    port,
    readyPath,
    readyMillis,
    env,
    network,
  }: Pick<Inputs, 'port' | 'readyPath' | 'readyMillis' | 'env' | 'network'>,
  { runtimeDirectory }: Tools,
) {
  const seccompProfile = join(runtimeDirectory, 'seccomp.json');
  return { port, readyPath, readyMillis, env, seccompProfile, ...(network !== undefined && { network }) };
}
