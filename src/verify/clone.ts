import { type ColdImage, coldSpec, notRestored, notStarted } from '../engine/cold.ts';
import { type ContainerSpec, productionSpec } from '../engine/container.ts';
import type { Docker } from '../engine/docker.ts';
import { freePort } from '../engine/readiness.ts';
import { targetOf, untilReady } from '../engine/ready.ts';
import type { Access, Places, Target } from '../model/index.ts';

/** How clones are started, and known to be ready. */
export interface CloneOptions {
  image: string;
  access: Access;
  /** Path of the launcher in it. */
  launcher: string;
  /** The user's variables: those that the app was warmed with. */
  env: Record<string, string>;
  /** The mounts and writable paths of production. */
  places: Places;
  network?: string;
}

/**
 * Restores the image the way production runs it, and hands the container's name and where it answers to `use` when it is
 * ready: where that is by HTTP, it has then answered one request, and no other. `mode` is what DOTNET_SNAPSHOT says: a
 * fallback to a normal start, which would hide what is to be seen, is an error in both, and unlike with `require` the
 * companion answers. Throws DS5002 where it does not restore.
 */
export function withClone<T>(
  options: CloneOptions,
  mode: 'verify' | 'record',
  docker: Docker,
  use: (container: string, target: Target) => Promise<T>,
): Promise<T> {
  const spec = { ...productionSpec(options.image, options.places), env: { ...options.env, DOTNET_SNAPSHOT: mode } };
  return withContainer(spec, true, options, docker, use);
}

/** The same with the app as it starts normally. Throws DS3001 or DS3002 where it does not become ready. */
export function withColdStart<T>(
  options: CloneOptions & { cold: ColdImage },
  docker: Docker,
  use: (container: string, target: Target) => Promise<T>,
): Promise<T> {
  return withContainer(coldSpec(options), false, options, docker, use);
}

async function withContainer<T>(
  spec: ContainerSpec,
  restored: boolean,
  { access, launcher, network }: CloneOptions,
  docker: Docker,
  use: (container: string, target: Target) => Promise<T>,
): Promise<T> {
  const host = await freePort();
  const publish = { host, container: access.port };
  const container = await docker.create({ ...spec, publish, ...(network !== undefined && { network }) });
  try {
    await docker.start(container);
    const started = { container, host, launcher, restored };
    const readiness = await untilReady(started, access, docker, { deadline: Date.now() + access.readyMillis });
    if (readiness.readyAt === undefined) {
      throw await (restored ? notRestored : notStarted)(container, readiness.why, access, docker);
    }
    return await use(container, targetOf(access, host));
  } finally {
    await docker.remove(container);
  }
}
