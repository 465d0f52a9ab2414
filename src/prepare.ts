import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageFromDockerfile, imageFromPublished, imageFromReference } from './image/app.ts';
import { ensureRuntime } from './image/runtime.ts';
import type { Inputs, WarmInputs } from './inputs.ts';
import type { AppImage, PublishedApp, RuntimeBundle, Traffic } from './model/index.ts';
import { appName } from './naming.ts';
import { publish } from './publish/publish.ts';
import type { Stages } from './stages.ts';
import type { Tools } from './tools.ts';
import { parseTraffic } from './traffic/parse.ts';

/** The app before it is started. */
export interface PreparedApp {
  name: string;
  app: AppImage;
  published?: PublishedApp;
  runtime: RuntimeBundle;
}

/** What is there before the app is started. */
export interface Prepared extends PreparedApp {
  traffic: Traffic;
}

/** An empty folder for this run, removed when it ends. */
export async function workFolder({ cleanup }: Tools): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-'));
  cleanup.defer(`folder ${work}`, () => rm(work, { recursive: true, force: true }));
  return work;
}

/** The traffic read, the app published and in its image, the runtime bundle at hand. */
export async function prepare(inputs: Inputs, tools: Tools, work: string, stages: Stages): Promise<Prepared> {
  const traffic = await parseTraffic(inputs.trafficFile);
  return { ...(await prepareApp(inputs, tools, work, stages)), traffic };
}

/** Like {@link prepare}, without traffic. */
export async function prepareApp(inputs: WarmInputs, tools: Tools, work: string, stages: Stages): Promise<PreparedApp> {
  const { docker, cleanup } = tools;
  await docker.requireCheckpointingEngine();
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
  return { name, app, runtime, ...(published && { published }) };
}

function appImage(
  inputs: WarmInputs,
  published: PublishedApp | undefined,
  tag: string,
  tools: Tools,
): Promise<AppImage> {
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
