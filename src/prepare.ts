import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageFromPublished, imageFromReference } from './image/app.ts';
import { imageFromDockerfile } from './image/dockerfile.ts';
import { giveUsualName, sourceLabel, usualName } from './image/names.ts';
import { ensureRuntime } from './image/runtime.ts';
import type { Inputs, WarmInputs } from './inputs.ts';
import type { AppImage, PublishedApp, RuntimeBundle, Source, Traffic } from './model/index.ts';
import { appName, sourceKey } from './naming.ts';
import { publish } from './publish/publish.ts';
import type { Stages } from './stages.ts';
import type { Tools } from './tools.ts';
import { parseTraffic } from './traffic/parse.ts';

/** The app before it is started. */
export interface PreparedApp {
  name: string;
  /** What tells it from other apps of its name: see {@link sourceKey}. */
  source: string;
  app: AppImage;
  published?: PublishedApp;
  runtime: RuntimeBundle;
  /** Leaves the app's image under the name that only this run uses, when the run ends. */
  keepImage: () => void;
}

/** What is there before the app is started. */
export interface Prepared extends PreparedApp {
  traffic: Traffic;
}

/** Replayed where nobody says what an app answers to. */
export const NO_TRAFFIC: Traffic = { file: '', digest: '', exchanges: [] };

/** An empty folder for this run, removed when it ends. */
export async function workFolder({ cleanup }: Tools): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-'));
  cleanup.defer(`folder ${work}`, () => rm(work, { recursive: true, force: true }));
  return work;
}

/** The traffic read, the app published and in its image, the runtime bundle at hand. */
export async function prepare(inputs: Inputs, tools: Tools, work: string, stages: Stages): Promise<Prepared> {
  const traffic = inputs.trafficFile === undefined ? NO_TRAFFIC : await parseTraffic(inputs.trafficFile);
  return { ...(await prepareApp(inputs, tools, work, stages)), traffic };
}

/** Like {@link prepare}, without traffic. */
export async function prepareApp(inputs: WarmInputs, tools: Tools, work: string, stages: Stages): Promise<PreparedApp> {
  const { docker, cleanup } = tools;
  await docker.requireCheckpointingEngine();
  cleanup.defer('containers', () => docker.removeAll());
  const published =
    inputs.source.kind === 'project'
      ? await stages.run('publish', () => publish(inputs.source as ProjectSource, join(work, 'publish'), tools))
      : undefined;
  const [name, source] = [await appName(inputs), await sourceKey(inputs)];
  return stages.run('image', async () => {
    const tag = `dotnet-snapshot/${name}:app-${docker.runKey}`;
    const keepImage = cleanup.defer(`image ${tag}`, () => docker.removeImage(tag));
    const app = await appImage(inputs, published, { tag, name, source }, tools);
    // With its only name an image would go.
    if (inputs.source.kind === 'image' && (await docker.requireImage(app.id)).names.length === 1) keepImage();
    const runtime = await ensureRuntime(tools.runtimeDirectory, tools);
    return { name, source, app, runtime, keepImage, ...(published && { published }) };
  });
}

type ProjectSource = Extract<Source, { kind: 'project' }>;

async function appImage(
  inputs: WarmInputs,
  published: PublishedApp | undefined,
  { tag, name, source }: { tag: string; name: string; source: string },
  tools: Tools,
): Promise<AppImage> {
  const user = inputs.user === undefined ? {} : { user: inputs.user };
  if (inputs.source.kind === 'image') return imageFromReference(inputs.source.reference, { tag, ...user }, tools);
  const options = { tag, label: sourceLabel(source), shown: usualName(name, 'app'), ...user };
  const app =
    inputs.source.kind === 'dockerfile'
      ? await imageFromDockerfile(inputs.source, options, tools)
      : await imageFromPublished(
          published!,
          { ...options, ...(inputs.baseImage !== undefined && { baseImage: inputs.baseImage }) },
          tools,
        );
  await giveUsualName(tag, { name, source, use: 'app' }, tools);
  return app;
}
