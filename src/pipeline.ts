import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fromCache, type Taken, toCache } from './cached.ts';
import { cacheKey } from './cachekey.ts';
import { CHECKPOINT_FOLDER, type CheckpointContext, checkpoint, preflight } from './checkpoint/checkpoint.ts';
import { Control } from './checkpoint/control.ts';
import { describeKeys, describeRisks, type LiveKeys, type Risks } from './checkpoint/risks.ts';
import { describe } from './describe.ts';
import { giveUsualName } from './image/names.ts';
import { restoreReadyImage } from './image/restoreReady.ts';
import { IMAGE_DESCRIPTORS, LAUNCHER, PROGRAMS } from './image/runtime.ts';
import type { CheckpointInputs, Inputs, ScanInputs, WarmInputs } from './inputs.ts';
import { measure } from './measure/measure.ts';
import type { Access, AppImage, Manifest, Report, Snapshot } from './model/index.ts';
import { type RunningApp, settleLater, warmLabels } from './ondemand.ts';
import { compilePlan, type PlanInput } from './plan/compile.ts';
import { NO_TRAFFIC, type Prepared, type PreparedApp, prepare, prepareApp, workFolder } from './prepare.ts';
import { requireReady } from './requireReady.ts';
import { secretsOfAnswers, secretsOfConfiguration } from './scan/known/index.ts';
import type { AtBuild } from './scan/policy/index.ts';
import { scrubber } from './secrets/atBuild.ts';
import { type OnScan, readGateSettings, SecretsGate } from './secrets/gate.ts';
import { secretsBefore } from './secrets/known.ts';
import { Stages } from './stages.ts';
import type { Tools } from './tools.ts';
import { parseTraffic } from './traffic/parse.ts';
import { replay } from './traffic/replay.ts';
import { type CloneOptions, withClone } from './verify/clone.ts';
import { compareInProduction } from './verify/production.ts';
import { verify } from './verify/verify.ts';
import { accessOf, type Warmed, warm, warmedWith } from './warm.ts';
import { cpuUsed } from './warmup/isa.ts';
import type { Warmup } from './warmup/warmup.ts';

/** What a build leaves. The snapshot's folder is the door's to store or to drop. */
export interface Outcome {
  report: Report;
  snapshot: Snapshot;
  /** Tag of the verified image. */
  image: string;
}

/** A checkpoint whose app still runs, held as it was when the checkpoint was taken. */
interface Retakable extends Taken {
  /** Takes another in its place. */
  again?: () => Promise<Snapshot>;
  /** Ends the app. */
  end?: () => Promise<void>;
}

/** Inputs -> published app -> image -> warmed container -> snapshot -> findings -> verified image -> report. */
export async function build(inputs: Inputs, tools: Tools, onScan: OnScan = async () => {}): Promise<Outcome> {
  const stages = new Stages(tools.log);
  const gate = await gateFor(inputs.scan, { mode: inputs.secretsAtBuild, given: Object.keys(inputs.env) }, tools);
  gate.know(await secretsBefore({ inputs }, tools.environment));
  const work = await workFolder(tools);
  const prepared = await prepare(inputs, tools, work, stages);
  gate.know(await secretsBefore({ inputs, ...prepared }, tools.environment));
  const key = cacheKey(inputs, prepared, tools.machine);
  const cached = await stages.run('cache', () => fromCache(key, work, tools));
  const taken: Retakable = cached ?? (await warmAndCheckpoint(inputs, prepared, gate, tools, work, stages));
  const scan = await stages.run('scan', () => gate.check(taken.snapshot, onScan, taken.again));
  await taken.end?.();
  const runOptions = productionOptions(inputs, accessAgain(inputs, taken.snapshot.manifest));
  const candidate = await stages.run('image', () => candidateImage(prepared, taken.snapshot, runOptions, tools, work));
  const clones = cloneTools(tools);
  const verified = await stages.run('verify', async () => {
    const options = { ...runOptions, image: candidate };
    const found = await verify(
      prepared.traffic,
      taken.warmup.lastAnswers,
      {
        ...options,
        clones: inputs.clones,
        cold: { image: prepared.app.reference, user: prepared.app.user },
      },
      clones,
    );
    await compareInProduction(prepared.traffic, inputs.productionEnv, options, clones);
    return found;
  });
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
  const image = await giveName(candidate, inputs.tag, prepared, tools);
  const results = { scan, verified, measurements, image, stages: stages.done, commit: tools.commit };
  const report = tools.redactor.data(describe(prepared, taken, results));
  if (!cached) await toCache(key, taken.snapshot, report, tools);
  return { report, snapshot: taken.snapshot, image };
}

/** A dry run: everything up to the checkpoint, which is tried and thrown away. Throws what would block a build. */
export async function check(
  inputs: Inputs,
  tools: Tools,
): Promise<{ name: string; warmup: Warmup; risks: Risks; keys: LiveKeys }> {
  const stages = new Stages(tools.log);
  tools.redactor.add(await secretsBefore({ inputs }, tools.environment));
  const work = await workFolder(tools);
  const prepared = await prepare(inputs, tools, work, stages);
  tools.redactor.add(await secretsBefore({ inputs, ...prepared }, tools.environment));
  const warmed = await warm(inputs, prepared, tools, stages, { maxRounds: 1 });
  const risks = await warmed.control.risks();
  const keys = await warmed.control.keys();
  const { directory: images, manifest } = await checkpointWarmed(inputs, prepared, warmed, tools, work, stages);
  await tools.docker.remove(warmed.container);
  await compilePlan({ images, manifest, hot: 'to be recorded' }, join(work, 'plan'));
  return { name: prepared.name, warmup: warmed.warmup, risks, keys };
}

/** Starts the app as a build does and leaves it running, for {@link checkpointRunning}. */
export async function start(inputs: WarmInputs, tools: Tools): Promise<{ container: string; url: string }> {
  const stages = new Stages(tools.log);
  const traffic = inputs.trafficFile === undefined ? undefined : await parseTraffic(inputs.trafficFile);
  const app = await prepareApp(inputs, tools, await workFolder(tools), stages);
  const known = { inputs: { ...inputs, secrets: [] }, ...app, ...(traffic && { traffic }) };
  tools.redactor.add(await secretsBefore(known, tools.environment));
  const warmable = { ...app, ...(traffic && { traffic }) };
  const warmed = await warm(inputs, warmable, tools, stages, {
    keepWith: (placeholders) => warmLabels(inputs, warmable, placeholders),
  });
  warmed.keep();
  app.keepImage();
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
  const gate = await gateFor(inputs.scan, { mode: app.secretsAtBuild, given: Object.keys(app.given) }, tools);
  const traffic = inputs.trafficFile === undefined ? NO_TRAFFIC : await parseTraffic(inputs.trafficFile);
  gate.know(await secretsBefore({ inputs: { ...inputs, env: app.env }, traffic }, tools.environment));
  tools.cleanup.defer('containers', () => tools.docker.removeAll());
  const work = await workFolder(tools);
  const directory = join(work, 'snapshot', 'checkpoint');
  const settled = settleLater(app, tools);
  const access = await requireReady(
    { container: app.container, host: app.publishedAt, launcher: LAUNCHER, restored: false },
    accessOf(app, app.host),
    { ...tools, control: app.control, hostIsGiven: app.host !== undefined, asksHttp: traffic !== NO_TRAFFIC },
  );
  const criuVersion = await preflight(app.control);
  const cpu = cpuOf({ isa: app.isa, env: app.given }, app.app, tools);
  const scrub = scrubber(app.secretsAtBuild, app.given, tools.log);
  const take = () =>
    stages.run('checkpoint', async () => {
      gate.know(secretsOfConfiguration(await app.control.configuration()));
      const context = {
        ...{ ...app, access, cpu, criuVersion, directory, keepRunning: inputs.keep || ('held' as const) },
        imagesFolder: await newImagesFolder(app.container, tools),
        imageDescriptors: IMAGE_DESCRIPTORS,
        ...(scrub && { scrub }),
      };
      const taken = await checkpoint(app.container, app.control, context, tools);
      return taken;
    });
  await tellKeys(app.control, tools);
  const snapshot = await take();
  if (inputs.keep) settled();
  try {
    await stages.run('scan', () => gate.check(snapshot, onScan, take));
  } finally {
    if (!inputs.keep) await tools.docker.remove(app.container);
  }
  const runOptions = productionOptions({ ...app, env: app.given }, access);
  const candidate = await stages.run('image', () => candidateImage(app, snapshot, runOptions, tools, work));
  const clones = cloneTools(tools);
  await stages.run('verify', () => verify(traffic, [], { ...runOptions, image: candidate, clones: 1 }, clones));
  const image = await giveName(candidate, inputs.tag, app, tools);
  return { snapshot, image };
}

async function gateFor(scan: ScanInputs, atBuild: AtBuild, tools: Tools): Promise<SecretsGate> {
  return new SecretsGate({ ...(await readGateSettings(scan, tools)), atBuild }, tools);
}

async function warmAndCheckpoint(
  inputs: Inputs,
  prepared: Prepared,
  gate: SecretsGate,
  tools: Tools,
  work: string,
  stages: Stages,
): Promise<Retakable> {
  const warmed = await warm(inputs, prepared, tools, stages, {
    onAnswers: (answers) => gate.know(secretsOfAnswers(answers)),
  });
  gate.know(secretsOfConfiguration(await warmed.control.configuration()));
  const keys = await tellKeys(warmed.control, tools);
  const take = () => checkpointWarmed(inputs, prepared, warmed, tools, work, stages);
  const end = () => tools.docker.remove(warmed.container);
  return { snapshot: await take(), warmup: warmed.warmup, keys, again: take, end };
}

/** Lines of a report. */
const MOST_KEYS = 100;

/** Warns of private keys that the app holds, which no search of the snapshot can find. Returns the lines. */
async function tellKeys(control: Control, { log }: Tools): Promise<string[]> {
  const { members } = await control.risks();
  const statics = { members: members.filter(({ kind }) => kind === 'key-pair'), unread: [], omitted: 0 };
  const lines = [...describeKeys(await control.keys()), ...describeRisks(statics)].slice(0, MOST_KEYS);
  for (const line of lines) log.warning(line);
  return lines;
}

/** A folder of the container for the files of one checkpoint: an earlier one of the same app has left its own. */
async function newImagesFolder(container: string, { docker }: Tools): Promise<string> {
  const folder = `${CHECKPOINT_FOLDER}/${Date.now().toString(36)}`;
  await docker.createFolder(container, folder);
  return folder;
}

/** The snapshot of a warmed app, which is left held. */
async function checkpointWarmed(
  inputs: Inputs,
  prepared: Prepared,
  warmed: Warmed,
  tools: Tools,
  work: string,
  stages: Stages,
): Promise<Snapshot> {
  const scrub = scrubber(inputs.secretsAtBuild, inputs.env, tools.log);
  return stages.run('checkpoint', async () =>
    checkpoint(
      warmed.container,
      warmed.control,
      {
        ...prepared,
        access: warmed.access,
        traffic: warmedWith(inputs, prepared),
        cpu: cpuOf(inputs, prepared.app, tools),
        criuVersion: warmed.criuVersion,
        imageDescriptors: IMAGE_DESCRIPTORS,
        placeholders: warmed.placeholders,
        places: inputs.places,
        filesLimit: inputs.filesLimit,
        ...(scrub && { scrub }),
        directory: join(work, 'snapshot', 'checkpoint'),
        imagesFolder: await newImagesFolder(warmed.container, tools),
        keepRunning: 'held',
      },
      tools,
    ),
  );
}

/** How the checkpoint tells what the snapshot may ask of a CPU; says where that is another level than was asked for. */
function cpuOf({ isa, env }: Pick<WarmInputs, 'isa' | 'env'>, app: AppImage, { log }: Tools): CheckpointContext['cpu'] {
  return (host, choosesAnew) => {
    const cpu = cpuUsed(isa, { ...app.env, ...env }, host, choosesAnew);
    if (cpu.isa !== isa) log.info(`isa ${isa} was asked for; this machine has ${cpu.isa}`);
    return cpu;
  };
}

/** What clones are asked. */
function cloneTools(tools: Tools) {
  const control = (container: string) => new Control(tools.docker, container, PROGRAMS);
  return {
    ...tools,
    replay,
    unique: async (container: string) => (await control(container).unique()).values,
    ports: (container: string) => control(container).ports(),
  };
}

/**
 * The restore-ready image under a name for this run only: it gets its tag when it is verified. It is built twice: a clone of
 * the first shows which pages its first answer needs; in the second these are together, and there before they are asked for.
 */
async function candidateImage(
  { name, source, app, runtime }: Pick<PreparedApp, 'name' | 'source' | 'app' | 'runtime'>,
  { directory: images, manifest }: Snapshot,
  runOptions: Omit<CloneOptions, 'image'>,
  tools: Tools,
  work: string,
): Promise<string> {
  const key = tools.docker.runKey;
  const imageWith = async (use: string, hot: PlanInput['hot']) => {
    const image = `dotnet-snapshot/${name}:${use}-${key}`;
    tools.cleanup.defer(`image ${image}`, () => tools.docker.removeImage(image));
    const directory = join(work, `plan-${use}`);
    await mkdir(directory, { recursive: true });
    await compilePlan({ images, manifest, hot }, directory);
    await restoreReadyImage(app, runtime, { directory, images, manifest, source }, image, tools);
    return image;
  };
  const recording = await imageWith('recording', 'to be recorded');
  const touched = await withClone({ ...runOptions, image: recording }, 'record', tools.docker, (container) =>
    new Control(tools.docker, container, PROGRAMS).touched(),
  );
  await tools.docker.removeImage(recording);
  const kib = (pages: { start: bigint; end: bigint }[]) =>
    pages.reduce((sum, { start, end }) => sum + Number(end - start) / 1024, 0);
  tools.log.debug(
    `the first answer reads ${kib(touched.read)} KiB of the snapshot and writes to ${kib(touched.written)} KiB`,
  );
  return imageWith('candidate', touched);
}

/** The verified image's tag: the one that was asked for, else its usual one. */
async function giveName(
  candidate: string,
  tag: string | undefined,
  { name, source }: Pick<PreparedApp, 'name' | 'source'>,
  tools: Tools,
): Promise<string> {
  if (tag === undefined) return giveUsualName(candidate, { name, source, use: 'restore-ready' }, tools);
  await tools.docker.tag(candidate, tag);
  return tag;
}

/** How a container of the image is started as production does, and known to be ready. */
function productionOptions({ env, places, network }: Pick<Inputs, 'env' | 'places' | 'network'>, access: Access) {
  return { access, launcher: LAUNCHER, env, places, ...(network !== undefined && { network }) };
}

/** How the app of a snapshot is met that was perhaps taken by an earlier run. */
function accessAgain(inputs: Inputs, { ready }: Manifest): Access {
  return {
    ...accessOf(inputs, ready?.host),
    ...(ready?.protocol !== undefined && { protocol: ready.protocol }),
  };
}
