import { productionSpec } from '../engine/container.ts';
import type { Docker } from '../engine/docker.ts';
import { freePort, waitUntilReady } from '../engine/readiness.ts';
import { SnapshotError } from '../errors.ts';

/** How clones are started, and known to be ready. */
export interface CloneOptions {
  image: string;
  port: number;
  readyPath: string;
  readyMillis: number;
  /** The user's variables: those that the app was warmed with. */
  env: Record<string, string>;
  network?: string;
}

/**
 * Restores the image the way production runs it, and hands the container's name and where it answers to `use` when it has
 * answered its first request, and no other. `mode` is what DOTNET_SNAPSHOT says: a fallback to a normal start, which would
 * hide what is to be seen, is an error in both, and unlike with `require` the companion answers. Throws DS5002 where it
 * does not restore.
 */
export async function withClone<T>(
  options: CloneOptions,
  mode: 'verify' | 'record',
  docker: Docker,
  use: (container: string, origin: string) => Promise<T>,
): Promise<T> {
  const host = await freePort();
  const container = await docker.create({
    ...productionSpec(options.image),
    env: { ...options.env, DOTNET_SNAPSHOT: mode },
    publish: { host, container: options.port },
    ...(options.network !== undefined && { network: options.network }),
  });
  try {
    await docker.start(container);
    let gone = false;
    const end = () => {
      gone = true;
    };
    docker.wait(container).then(end, end);
    const origin = `http://127.0.0.1:${host}`;
    const readiness = await waitUntilReady(origin + options.readyPath, Date.now() + options.readyMillis, {
      gone: () => gone,
    });
    if (readiness.readyAt === undefined)
      throw new SnapshotError('DS5002', 'The image does not restore.', { detail: await docker.logs(container) });
    return await use(container, origin);
  } finally {
    await docker.remove(container);
  }
}
