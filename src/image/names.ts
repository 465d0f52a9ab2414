import type { Docker } from '../engine/docker.ts';
import { locked } from '../lock.ts';
import type { Log } from '../log.ts';

/** Label of images that this product makes: what tells the app from others of its name. */
const SOURCE_LABEL = 'dotnet-snapshot.source';

/** The label, as `docker build` and a Dockerfile's LABEL take it. */
export function sourceLabel(source: string): string {
  return `${SOURCE_LABEL}=${source}`;
}

/** The name that an image gets where nobody gives it one. */
export function usualName(name: string, use: 'app' | 'restore-ready'): string {
  return `dotnet-snapshot/${name}:${use}`;
}

/**
 * Gives an image its usual name and returns it. Where the image of another app has that name, which may have been built
 * at the same time, this one gets a name of its own, and a warning tells it.
 */
export async function giveUsualName(
  image: string,
  { name, source, use }: { name: string; source: string; use: 'app' | 'restore-ready' },
  { docker, log }: { docker: Docker; log: Log },
): Promise<string> {
  const usual = usualName(name, use);
  return locked(`name ${usual}`, `it names an image ${usual}`, log, async () => {
    const holder = (await docker.image(usual))?.labels[SOURCE_LABEL];
    const isFree = holder === undefined || holder === source;
    const chosen = isFree ? usual : usualName(`${name}-${source.slice(0, 6)}`, use);
    if (!isFree)
      log.warning(
        `${usual} is the image of another app of that name, so this one is ${chosen}. Choose the name with --name or --tag, or remove the other image.`,
      );
    await docker.tag(image, chosen);
    return chosen;
  });
}
