import { z } from 'zod';
import { Control } from './checkpoint/control.ts';
import type { Docker } from './engine/docker.ts';
import { SnapshotError } from './errors.ts';
import { PROGRAMS } from './image/runtime.ts';
import type { WarmInputs } from './inputs.ts';
import { manifestSchema } from './model/manifest.ts';
import { SECRETS_AT_BUILD } from './secrets/atBuild.ts';
import type { Tools } from './tools.ts';
import { hostNamed, type Warmable, warmedWith } from './warm.ts';
import { ISAS } from './warmup/isa.ts';

/** Label of a container that `dotnet-snapshot warm` started. Its value tells a later run what a checkpoint needs. */
const LABEL = 'dotnet-snapshot.warm';

const text = z.string();
const warmAppSchema = z.object({
  name: text,
  source: text,
  app: z.object({
    reference: text,
    id: text,
    command: z.array(text),
    user: text,
    workingDirectory: text,
    env: z.record(text, text),
    baseImage: text,
    baseImageId: text.exactOptional(),
    size: z.number(),
  }),
  published: z.object({ targetFramework: text, assembly: text }).exactOptional(),
  runtime: z.object({ reference: text }),
  port: z.number(),
  host: text.exactOptional(),
  ready: z
    .discriminatedUnion('by', [
      z.object({ by: z.literal('http') }),
      z.object({ by: z.literal('port') }),
      z.object({ by: z.literal('log'), pattern: text }),
      z.object({ by: z.literal('file'), path: text }),
      z.object({ by: z.literal('command'), argv: z.array(text).min(1) }),
    ])
    .default({ by: 'http' }),
  readyPath: text,
  readyMillis: z.number(),
  network: text.exactOptional(),
  isa: z.enum(ISAS),
  places: manifestSchema.shape.places.unwrap().default({ writable: [], mounts: [] }),
  filesLimit: z.number().default(64 * 2 ** 20),
  /** Names of the variables that the user gave it. */
  variables: z.array(text),
  traffic: manifestSchema.shape.traffic,
  secretsAtBuild: z.enum(SECRETS_AT_BUILD).default('real'),
  /** Texts of the fakes that it has in place of secrets. */
  placeholders: z.array(text).default([]),
});

/** An app that runs in a container of its own until somebody takes its checkpoint. */
export interface RunningApp extends z.infer<typeof warmAppSchema> {
  /** Name of its container. */
  container: string;
  /** Tag of the image that only this container uses. */
  warmImage: string;
  /** The container's variables. */
  env: Record<string, string>;
  /** Those of them that the user gave it. */
  given: Record<string, string>;
  control: Control;
  /** Port of this machine that its port is published at. */
  publishedAt: number;
}

/** The labels by which {@link runningApp} knows the app again. */
export function warmLabels(
  inputs: WarmInputs,
  prepared: Warmable,
  placeholders: readonly string[] = [],
): Record<string, string> {
  const { port, ready, readyPath, readyMillis, isa, network, secretsAtBuild, places, filesLimit } = inputs;
  const host = hostNamed(inputs, prepared.traffic);
  const { name, source, app, runtime, published } = prepared;
  const traffic = warmedWith(inputs, prepared);
  const warmApp: z.infer<typeof warmAppSchema> = {
    ...{
      name,
      source,
      app,
      runtime,
      port,
      ready,
      readyPath,
      readyMillis,
      isa,
      traffic,
      variables: Object.keys(inputs.env),
    },
    ...{ places, filesLimit, secretsAtBuild, placeholders: [...placeholders] },
    ...(published && { published: { targetFramework: published.targetFramework, assembly: published.assembly } }),
    ...(network !== undefined && { network }),
    ...(host !== undefined && { host }),
  };
  return { [LABEL]: JSON.stringify(warmApp) };
}

/**
 * The app that runs in a container of `dotnet-snapshot warm`. Throws DS1007 where it is none or has ended, DS2009 where
 * the images that its restore-ready image is built from are gone.
 */
export async function runningApp(nameOrId: string, docker: Docker): Promise<RunningApp> {
  const container = await docker.container(nameOrId);
  if (!container) throw new SnapshotError('DS1007', `There is no container ${nameOrId}.`);
  const warmApp = parseLabel(container.labels[LABEL]);
  if (!warmApp)
    throw new SnapshotError(
      'DS1007',
      `The container ${nameOrId} was not started by this version’s \`dotnet-snapshot warm\`.`,
    );
  if (!container.running) throw new SnapshotError('DS1007', `The container ${nameOrId} is not running.`);
  const { app, runtime } = warmApp;
  await docker.requireImage(runtime.reference);
  if ((await docker.requireImage(app.reference)).id !== app.id)
    throw new SnapshotError('DS2009', `The image ${app.reference} is not the one that ${nameOrId} was started from.`, {
      fix: 'Start the app anew with `dotnet-snapshot warm`.',
    });
  return {
    ...warmApp,
    container: container.name,
    warmImage: container.image,
    env: container.env,
    given: Object.fromEntries(Object.entries(container.env).filter(([name]) => warmApp.variables.includes(name))),
    control: new Control(docker, container.name, PROGRAMS),
    publishedAt: container.published.find((port) => port.container === warmApp.port)?.host ?? 0,
  };
}

/**
 * At the end of the run, whichever way it ends: an app that still runs answers again, and what is left of one that ended
 * goes. Returns what to call where nothing is left to settle.
 */
export function settleLater(
  { container, app, warmImage, control }: RunningApp,
  { docker, cleanup }: Tools,
): () => void {
  return cleanup.defer(`container ${container}`, async () => {
    if ((await docker.container(container))?.running) {
      await control.resume();
      return;
    }
    await docker.remove(container);
    await docker.removeImage(warmImage);
    await docker.removeImage(app.reference);
  });
}

function parseLabel(label: string | undefined): z.infer<typeof warmAppSchema> | undefined {
  try {
    return warmAppSchema.parse(JSON.parse(label ?? ''));
  } catch {
    return undefined;
  }
}
