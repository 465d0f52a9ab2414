import { chmod, link, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Docker } from '../engine/docker.ts';
import type { Log } from '../log.ts';
import type { AppImage, Manifest, RuntimeBundle } from '../model/index.ts';
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
    await chmod(directory, 0o777);
    return [
      `COPY --from=${runtime.reference} ${PREFIX} ${PREFIX}`,
      `COPY writable/ ${PREFIX}/`,
      `ENTRYPOINT ["${LAUNCHER}", "warm", "--"]`,
    ];
  });
  return tag;
}

/** What the launcher restores from: `plan` and `pages` in `directory`, as `compilePlan` writes them. */
export interface CompiledSnapshot {
  directory: string;
  manifest: Manifest;
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
    return [
      ...['bin', 'companion', 'licenses'].map(
        (part) => `COPY --from=${runtime.reference} ${PREFIX}/${part} ${PREFIX}/${part}`,
      ),
      `COPY pages plan manifest.json ${PREFIX}/`,
      `LABEL dotnet-snapshot.id=${JSON.stringify(manifest.id)} dotnet-snapshot.name=${JSON.stringify(manifest.name)}`,
      `ENTRYPOINT ["${LAUNCHER}", "run", "--"]`,
    ];
  });
  const { id, size } = await tools.docker.requireImage(tag);
  return { id, size };
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
