import { chmod, link, mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Docker } from '../engine/docker.ts';
import type { Log } from '../log.ts';
import type { AppImage, Manifest, Places, RuntimeBundle } from '../model/index.ts';
import { manifestSchema } from '../model/manifest.ts';
import { setImageModes } from './modes.ts';
import { sourceLabel } from './names.ts';
import { LAUNCHER, PREFIX } from './runtime.ts';

interface Tools {
  docker: Docker;
  log: Log;
}

/** The app plus the bundle, and a folder that the app's user can write the checkpoint to. Returns its tag. */
export async function warmableImage(app: AppImage, runtime: RuntimeBundle, tag: string, tools: Tools): Promise<string> {
  await buildOn(app, tag, tools, async (context) => {
    // COPY gives a folder its mode only where it is inside the one that is named.
    const directory = join(context, 'writable', 'checkpoint');
    await mkdir(directory, { recursive: true });
    await setImageModes(context);
    await chmod(directory, 0o777);
    return [
      `COPY --from=${runtime.reference} ${PREFIX} ${PREFIX}`,
      `COPY writable/ ${PREFIX}/`,
      `ENTRYPOINT ["${LAUNCHER}", "warm", "--"]`,
    ];
  });
  return tag;
}

/** What the launcher restores from: `plan` and `pages` in `directory`, as `compilePlan` writes them from `images`. */
export interface CompiledSnapshot {
  directory: string;
  /** Folder with CRIU's images, and with the contents of files that the app changed. */
  images: string;
  manifest: Manifest;
  /** What tells the app from others of its name. */
  source: string;
}

/**
 * The product: the app, launcher and companion, plan and pages, with the launcher as entrypoint. Nothing of CRIU is in it.
 * Returns its id and size in bytes.
 */
export async function restoreReadyImage(
  app: AppImage,
  runtime: RuntimeBundle,
  snapshot: CompiledSnapshot,
  tag: string,
  tools: Tools,
): Promise<{ id: string; size: number }> {
  const { manifest } = snapshot;
  await buildOn(app, tag, tools, async (context) => {
    for (const name of ['plan', 'pages']) await link(join(snapshot.directory, name), join(context, name));
    await writeFile(join(context, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
    await setImageModes(context);
    return [
      ...['bin', 'companion', 'licenses'].map(
        (part) => `COPY --from=${runtime.reference} ${PREFIX}/${part} ${PREFIX}/${part}`,
      ),
      `COPY pages plan manifest.json ${PREFIX}/`,
      ...(await changedFiles(snapshot, app.user, context)),
      ...(manifest.places ? [`LABEL ${PLACES_LABEL}=${JSON.stringify(JSON.stringify(manifest.places))}`] : []),
      `LABEL dotnet-snapshot.id=${JSON.stringify(manifest.id)} dotnet-snapshot.name=${JSON.stringify(manifest.name)} ${sourceLabel(snapshot.source)}`,
      `ENTRYPOINT ["${LAUNCHER}", "run", "--"]`,
    ];
  });
  const { id, size } = await tools.docker.requireImage(tag);
  return { id, size };
}

/** Label that says what a container of the image can write to, and what is mounted into it. */
const PLACES_LABEL = 'dotnet-snapshot.places';

/** What a container of a restore-ready image needs to write to; undefined where that is /tmp alone. */
export function placesOf(labels: Record<string, string>): Places | undefined {
  const label = labels[PLACES_LABEL];
  return label === undefined ? undefined : manifestSchema.shape.places.unwrap().parse(JSON.parse(label));
}

/**
 * Files of the image that the app changed while it was warmed take the place of those that it has. They are the app's
 * user's, and of the group 0, as which other users run.
 */
async function changedFiles({ images, manifest }: CompiledSnapshot, user: string, context: string): Promise<string[]> {
  const changed = manifest.kept.filter(({ kind, inImage }) => inImage && kind === 'file');
  const lines: string[] = [];
  for (const [index, { path, mode, offset, bytes }] of changed.entries()) {
    const name = `changed-${index}`;
    const content = Buffer.alloc(bytes);
    if (bytes > 0) {
      const file = await open(join(images, 'files.bin'));
      await file.read(content, 0, bytes, offset).finally(() => file.close());
    }
    await writeFile(join(context, name), content);
    await chmod(join(context, name), mode | ((mode & 0o700) >> 3));
    lines.push(`COPY --chown=${user.includes(':') ? user : `${user}:0`} ${JSON.stringify([name, path])}`);
  }
  return lines;
}

async function buildOn(
  app: AppImage,
  tag: string,
  { docker, log }: Tools,
  fill: (context: string) => Promise<string[]>,
): Promise<void> {
  const context = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-image-'));
  try {
    const lines = [
      `FROM ${app.reference}`,
      // As root, for the user of the app must not own what restores it.
      'USER 0',
      ...(await fill(context)),
      `USER ${app.user}`,
      `CMD ${JSON.stringify(app.command)}`,
      '',
    ];
    await writeFile(join(context, 'Dockerfile'), lines.join('\n'));
    await docker.build(context, { tag, onLine: (line) => log.debug(line) });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
}
