import { join } from 'node:path';
import { fromCache, type Taken, toCache } from './cached.ts';
import { cacheKey } from './cachekey.ts';
import { checkpoint, dump } from './checkpoint/checkpoint.ts';
import { describe } from './describe.ts';
import { SnapshotError } from './errors.ts';
import { restoreReadyImage } from './image/restoreReady.ts';
import type { Inputs } from './inputs.ts';
import { measure } from './measure/measure.ts';
import type { Report, ScanResult, Snapshot } from './model/index.ts';
import { type Prepared, prepare, workFolder } from './prepare.ts';
import { findingsToText, knownSecretsFrom, scanSnapshot } from './scan/index.ts';
import { Stages } from './stages.ts';
import type { Tools } from './tools.ts';
import { verify } from './verify/verify.ts';
import { replayToApp as replay, warm } from './warm.ts';
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
    async () =>
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
    await dump(warmed.control, pid, true);
  });
  await tools.docker.remove(warmed.container);
  return { name: prepared.name, warmup: warmed.warmup };
}

/** The most rounds of the traffic; steady apps need a handful. */
const MAX_ROUNDS = 30;

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
