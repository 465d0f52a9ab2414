import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageFromDockerfile, imageFromPublished, imageFromReference } from './image/app.ts';
import { ensureRuntime } from './image/runtime.ts';
import type { Inputs } from './inputs.ts';
import type { AppImage, PublishedApp, RuntimeBundle, Traffic } from './model/index.ts';
import { appName } from './naming.ts';
import { publish } from './publish/publish.ts';
import type { Stages } from './stages.ts';
import type { Tools } from './tools.ts';
import { parseTraffic } from './traffic/parse.ts';

/** What is there before the app is started. */
export interface Prepared {
  name: string;
  traffic: Traffic;
  app: AppImage;
  published?: PublishedApp;
  runtime: RuntimeBundle;
}

/** An empty folder for this run, removed when it ends. */
export async function workFolder({ cleanup }: Tools): Promise<string> {
  const work = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-'));
  cleanup.defer(`folder ${work}`, () => rm(work, { recursive: true, force: true }));
  return work;
}

/** The traffic read, the app published and in its image, the runtime bundle at hand. */
export async function prepare(inputs: Inputs, tools: Tools, work: string, stages: Stages): Promise<Prepared> {
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
