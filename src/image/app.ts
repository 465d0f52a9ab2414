import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Docker } from '../engine/docker.ts';
import type { ImageInfo } from '../engine/inspect.ts';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AppImage, PublishedApp } from '../model/index.ts';
import { setImageModes } from './modes.ts';

/** User of the official .NET images that is made for apps. */
const APP_USER = '1654';

/** How the app's own image is made. */
export interface ImageOptions {
  /** A tag that only this run uses. */
  tag: string;
  /** `NAME=VALUE` */
  label: string;
  /** What the user knows the image by. */
  shown: string;
  user?: string;
}

interface Tools {
  docker: Docker;
  log: Log;
}

/** The base image for a target framework: `net10.0` gives `mcr.microsoft.com/dotnet/aspnet:10.0`. */
export function defaultBaseImage(targetFramework: string): string {
  const version = /^net(\d+\.\d+)/.exec(targetFramework)?.[1];
  if (!version)
    throw new SnapshotError('DS1001', `There is no ASP.NET base image for ${targetFramework}.`, {
      fix: 'Name one with --base-image.',
    });
  return `mcr.microsoft.com/dotnet/aspnet:${version}`;
}

/** Builds the app's own image: the published files on the base image, run as a non-root user. Throws DS2004. */
export async function imageFromPublished(
  app: PublishedApp,
  options: ImageOptions & { baseImage?: string },
  { docker, log }: Tools,
): Promise<AppImage> {
  const baseImage = options.baseImage ?? defaultBaseImage(app.targetFramework);
  const context = await mkdtemp(join(tmpdir(), 'dotnet-snapshot-image-'));
  try {
    await cp(app.directory, join(context, 'app'), { recursive: true, verbatimSymlinks: true });
    await setImageModes(context);
    await writeFile(
      join(context, 'Dockerfile'),
      [
        `FROM ${baseImage}`,
        'WORKDIR /app',
        'COPY app/ ./',
        `USER ${options.user ?? APP_USER}`,
        `ENTRYPOINT ${JSON.stringify(app.command)}`,
        '',
      ].join('\n'),
    );
    const flags = ['--label', options.label];
    await docker.build(context, { tag: options.tag, flags, onLine: (line) => log.debug(line) });
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  const base = await docker.image(baseImage);
  const image = await docker.requireImage(options.tag);
  return describe(image, { ...options, shown: baseImage }, log, base?.id);
}

/**
 * Takes an image that is there already, or pulls it, and gives it a tag of this run's: whoever moves its name meanwhile
 * changes nothing. Throws DS2009, DS3006.
 */
export async function imageFromReference(
  reference: string,
  { tag, user }: Pick<ImageOptions, 'tag' | 'user'>,
  { docker, log }: Tools,
): Promise<AppImage> {
  if (!(await docker.image(reference))) await docker.pull(reference);
  const image = await docker.requireImage(reference);
  const app = describe(image, { tag, shown: reference, user }, log);
  await docker.tag(image.id, tag);
  return app;
}

/** What is known of the app's own image, and how it is started. Throws DS3006. */
export function describe(
  image: ImageInfo,
  { tag, shown, user }: { tag: string; shown: string; user?: string | undefined },
  log: Log,
  baseImageId?: string,
): AppImage {
  const command = [...image.entrypoint, ...image.command];
  const program = command[0]?.split('/').at(-1);
  if (!program) throw new SnapshotError('DS3006', `The image ${shown} has neither entrypoint nor command.`);
  if (['sh', 'bash', 'dash', 'ash', 'busybox'].includes(program))
    throw new SnapshotError('DS3006', `The image ${shown} starts its app through ${program}: ${command.join(' ')}`);
  return {
    reference: tag,
    id: image.id,
    command,
    user: user ?? productionUser(image, log),
    workingDirectory: image.workingDirectory,
    env: image.env,
    baseImage: shown,
    ...(baseImageId !== undefined && { baseImageId }),
    size: image.size,
  };
}

function productionUser(image: ImageInfo, log: Log): string {
  const name = image.user.split(':')[0]!;
  if (name && name !== 'root' && name !== '0') return image.user;
  const user = image.env.APP_UID ?? APP_USER;
  log.warning(
    `The image runs as root; it is warmed and restored as user ${user}. Set USER in the image, or --user, to choose another.`,
  );
  return user;
}
