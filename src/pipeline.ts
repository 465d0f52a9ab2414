import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fromCache, type Taken, toCache } from './cached.ts';
import { cacheKey } from './cachekey.ts';
import { CHECKPOINT_FOLDER, type CheckpointContext, checkpoint, preflight } from './checkpoint/checkpoint.ts';
import { Control } from './checkpoint/control.ts';
import type { Risks } from './checkpoint/risks.ts';
import { describe } from './describe.ts';
import { restoreReadyImage } from './image/restoreReady.ts';
import { IMAGE_DESCRIPTORS, PROGRAMS } from './image/runtime.ts';
import type { CheckpointInputs, Inputs, WarmInputs } from './inputs.ts';
import { measure } from './measure/measure.ts';
import type { AppImage, Report, Snapshot, Traffic } from './model/index.ts';
import { type RunningApp, settleLater, warmLabels } from './ondemand.ts';
import { compilePlan, type PlanInput } from './plan/compile.ts';
import { type Prepared, type PreparedApp, prepare, prepareApp, workFolder } from './prepare.ts';
import { secretsOfAnswers, secretsOfConfiguration } from './scan/known/index.ts';
import { scrubber } from './secrets/atBuild.ts';
import { type OnScan, readGateSettings, SecretsGate } from './secrets/gate.ts';
import { secretsBefore } from './secrets/known.ts';
import { Stages } from './stages.ts';
import type { Tools } from './tools.ts';
import { parseTraffic } from './traffic/parse.ts';
import { type CloneOptions, withClone } from './verify/clone.ts';
import { verify } from './verify/verify.ts';
import { replayToApp as replay, type Warmed, warm, warmedWith } from './warm.ts';
import { cpuUsed } from './warmup/isa.ts';
import type { Warmup } from './warmup/warmup.ts';

/** What a build leaves. The snapshot's folder is the door's to store or to drop. */
export interface Outcome {
  report: Report;
  snapshot: Snapshot;
  /** Tag of the verified image. */
  image: string;
}

/** Inputs -> published app -> image -> warmed container -> snapshot -> findings -> verified image -> report. */
export async function build(inputs: Inputs, tools: Tools, onScan: OnScan = async () => {}): Promise<Outcome> {
  const stages = new Stages(tools.log);
  const gate = new SecretsGate(await readGateSettings(inputs.scan, tools), tools);
  gate.know(await secretsBefore({ inputs }, tools.environment));
  const work = await workFolder(tools);
  const prepared = await prepare(inputs, tools, work, stages);
  gate.know(await secretsBefore({ inputs, ...prepared }, tools.environment));
  const key = cacheKey(inputs, prepared, tools.machine);
  const cached = await stages.run('cache', () => fromCache(key, work, tools));
  const taken = cached ?? (await warmAndCheckpoint(inputs, prepared, gate, tools, work, stages));
  taken.snapshot.manifest.ready = { port: inputs.port, path: inputs.readyPath };
  const scan = await stages.run('scan', () => gate.check(taken.snapshot, onScan));
  const runOptions = productionOptions(inputs);
  const candidate = await stages.run('image', () => candidateImage(prepared, taken.snapshot, runOptions, tools, work));
  const clones = cloneTools(tools);
  const verified = await stages.run('verify', () =>
    verify(
      prepared.traffic,
      taken.warmup.lastAnswers,
      { ...runOptions, image: candidate, clones: inputs.clones },
      clones,
    ),
  );
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
  const results = { scan, verified, measurements, image, stages: stages.done, commit: tools.commit };
  const report = tools.redactor.data(describe(prepared, taken, results));
  if (!cached) await toCache(key, taken.snapshot, report, tools);
  return { report, snapshot: taken.snapshot, image };
}

/** A dry run: everything up to the checkpoint, which is tried and thrown away. Throws what would block a build. */
export async function check(inputs: Inputs, tools: Tools): Promise<{ name: string; warmup: Warmup; risks: Risks }> {
  const stages = new Stages(tools.log);
  tools.redactor.add(await secretsBefore({ inputs }, tools.environment));
  const work = await workFolder(tools);
  const prepared = await prepare(inputs, tools, work, stages);
  tools.redactor.add(await secretsBefore({ inputs, ...prepared }, tools.environment));
  const warmed = await warm(inputs, prepared, tools, stages, { maxRounds: 1 });
  const risks = await warmed.control.risks();
  const { directory: images, manifest } = await checkpointWarmed(inputs, prepared, warmed, tools, work, stages);
  await compilePlan({ images, manifest, hot: 'to be recorded' }, join(work, 'plan'));
  return { name: prepared.name, warmup: warmed.warmup, risks };
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
  const gate = new SecretsGate(await readGateSettings(inputs.scan, tools), tools);
  const traffic = inputs.trafficFile === undefined ? NO_TRAFFIC : await parseTraffic(inputs.trafficFile);
  gate.know(await secretsBefore({ inputs: { ...inputs, env: app.env }, traffic }, tools.environment));
  tools.cleanup.defer('containers', () => tools.docker.removeAll());
  const work = await workFolder(tools);
  const directory = join(work, 'snapshot', 'checkpoint');
  // One of its own: an earlier checkpoint of this app has left its files.
  const imagesFolder = `${CHECKPOINT_FOLDER}/${Date.now().toString(36)}`;
  const settled = settleLater(app, tools);
  const snapshot = await stages.run('checkpoint', async () => {
    const criuVersion = await preflight(app.control);
    await tools.docker.createFolder(app.container, imagesFolder);
    const cpu = cpuOf({ isa: app.isa, env: app.given }, app.app, tools);
    gate.know(secretsOfConfiguration(await app.control.configuration()));
    const scrub = scrubber(app.secretsAtBuild, app.given, tools.log);
    const context = {
      ...{ ...app, cpu, criuVersion, directory, imagesFolder, keepRunning: inputs.keep },
      imageDescriptors: IMAGE_DESCRIPTORS,
      ...(scrub && { scrub }),
    };
    return checkpoint(app.container, app.control, context, tools);
  });
  if (inputs.keep) settled();
  snapshot.manifest.ready = { port: app.port, path: app.readyPath };
  await stages.run('scan', () => gate.check(snapshot, onScan));
  const runOptions = productionOptions({ ...app, env: app.given });
  const candidate = await stages.run('image', () => candidateImage(app, snapshot, runOptions, tools, work));
  const clones = cloneTools(tools);
  await stages.run('verify', () => verify(traffic, [], { ...runOptions, image: candidate, clones: 1 }, clones));
  const image = inputs.tag ?? defaultTag(app.name);
  await tools.docker.tag(candidate, image);
  return { snapshot, image };
}

/** Replayed where nobody says what an app answers to: a clone is then only asked whether it is ready. */
const NO_TRAFFIC: Traffic = { file: '', digest: '', exchanges: [] };

async function warmAndCheckpoint(
  inputs: Inputs,
  prepared: Prepared,
  gate: SecretsGate,
  tools: Tools,
  work: string,
  stages: Stages,
): Promise<Taken> {
  const warmed = await warm(inputs, prepared, tools, stages, {
    onAnswers: (answers) => gate.know(secretsOfAnswers(answers)),
  });
  gate.know(secretsOfConfiguration(await warmed.control.configuration()));
  const snapshot = await checkpointWarmed(inputs, prepared, warmed, tools, work, stages);
  return { snapshot, warmup: warmed.warmup };
}

/** The snapshot of a warmed app, which ends with it, and its container, too. */
async function checkpointWarmed(
  inputs: Inputs,
  prepared: Prepared,
  warmed: Warmed,
  tools: Tools,
  work: string,
  stages: Stages,
): Promise<Snapshot> {
  const scrub = scrubber(inputs.secretsAtBuild, inputs.env, tools.log);
  const snapshot = await stages.run('checkpoint', () =>
    checkpoint(
      warmed.container,
      warmed.control,
      {
        ...prepared,
        traffic: warmedWith(inputs, prepared),
        cpu: cpuOf(inputs, prepared.app, tools),
        criuVersion: warmed.criuVersion,
        imageDescriptors: IMAGE_DESCRIPTORS,
        placeholders: warmed.placeholders,
        ...(scrub && { scrub }),
        directory: join(work, 'snapshot', 'checkpoint'),
      },
      tools,
    ),
  );
  await tools.docker.remove(warmed.container);
  return snapshot;
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
  };
}

/**
 * The restore-ready image under a name for this run only: it gets its tag when it is verified. It is built twice: a clone of
 * the first shows which pages its first answer needs; in the second these are together, and there before they are asked for.
 */
async function candidateImage(
  { name, app, runtime }: Pick<PreparedApp, 'name' | 'app' | 'runtime'>,
  { directory: images, manifest }: Snapshot,
  runOptions: Omit<CloneOptions, 'image'>,
  tools: Tools,
  work: string,
): Promise<string> {
  const key = Date.now().toString(36);
  const imageWith = async (use: string, hot: PlanInput['hot']) => {
    const image = `dotnet-snapshot/${name}:${use}-${key}`;
    tools.cleanup.defer(`image ${image}`, () => tools.docker.removeImage(image));
    const directory = join(work, `plan-${use}`);
    await mkdir(directory, { recursive: true });
    await compilePlan({ images, manifest, hot }, directory);
    await restoreReadyImage(app, runtime, { directory, manifest }, image, tools);
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

function defaultTag(name: string): string {
  return `dotnet-snapshot/${name}:restore-ready`;
}

/** How a container of the image is started as production does, and known to be ready. */
function productionOptions({
  port,
  readyPath,
  readyMillis,
  env,
  network,
}: Pick<Inputs, 'port' | 'readyPath' | 'readyMillis' | 'env' | 'network'>) {
  return { port, readyPath, readyMillis, env, ...(network !== undefined && { network }) };
}
