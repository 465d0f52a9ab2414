import type { Places } from '../model/index.ts';

/** Capabilities a container gets on top of none at all. */
export type Capability = 'CHECKPOINT_RESTORE' | 'SYS_PTRACE';

/** A container as this product starts them. */
export interface ContainerSpec {
  image: string;
  /** Chosen by the engine where absent. */
  name?: string;
  /** Left running when this run ends: it is not labelled as the run's. */
  outlivesRun?: boolean;
  /** Replaces the image's entrypoint. */
  entrypoint?: string;
  /** Replaces the image's command. */
  command?: readonly string[];
  user?: string;
  /** Everything is dropped first; absent keeps the engine's default set. */
  capabilities?: readonly Capability[];
  /** Path of a seccomp profile, or `unconfined`; the engine's default profile where absent. */
  seccomp?: string;
  noNewPrivileges?: boolean;
  /** A read-only root with a tmpfs on /tmp. */
  readOnly?: boolean;
  /** Paths that are a tmpfs, beside /tmp. */
  writable?: readonly string[];
  mounts?: Places['mounts'];
  /** Paths that are a volume of this container alone, with what the image has there. */
  volumes?: readonly string[];
  env?: Record<string, string>;
  /** Name of a network to join; the default bridge where absent. */
  network?: string;
  /** Publishes the container's port on a port of the loopback address. */
  publish?: { host: number; container: number };
  labels?: Record<string, string>;
}

/** The arguments of `docker create` or `docker run` for a container, image and command included. */
export function containerArguments(spec: ContainerSpec): string[] {
  const pairs = (flag: string, values: Record<string, string> = {}) =>
    Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);
  return [
    ...(spec.name === undefined ? [] : ['--name', spec.name]),
    ...(spec.user === undefined ? [] : ['--user', spec.user]),
    ...(spec.capabilities ? ['--cap-drop', 'ALL'] : []),
    ...(spec.capabilities ?? []).flatMap((capability) => ['--cap-add', capability]),
    ...(spec.seccomp === undefined ? [] : ['--security-opt', `seccomp=${spec.seccomp}`]),
    ...(spec.noNewPrivileges ? ['--security-opt', 'no-new-privileges'] : []),
    ...(spec.readOnly ? ['--read-only', '--tmpfs', '/tmp'] : []),
    // A volume of production lets what is in it be executed and mapped as code; Docker's tmpfs does only on request.
    ...(spec.writable ?? []).flatMap((path) => ['--tmpfs', `${path}:exec`]),
    ...(spec.mounts ?? []).flatMap((mount) => ['--volume', mountArgument(mount)]),
    ...(spec.volumes ?? []).flatMap((path) => ['--volume', path]),
    ...(spec.network === undefined ? [] : ['--network', spec.network]),
    ...(spec.publish ? ['--publish', `127.0.0.1:${spec.publish.host}:${spec.publish.container}`] : []),
    ...pairs('--env', spec.env),
    ...pairs('--label', spec.labels),
    ...(spec.entrypoint === undefined ? [] : ['--entrypoint', spec.entrypoint]),
    spec.image,
    ...(spec.command ?? []),
  ];
}

/** `SOURCE:TARGET[:ro]`, as Docker and Compose take it. */
export function mountArgument({ source, target, readOnly }: Places['mounts'][number]): string {
  return `${source}:${target}${readOnly ? ':ro' : ''}`;
}

/**
 * The strictest container that a restore-ready image restores in: no capability, the engine's own seccomp profile, the
 * image's user, and nothing to write to but /tmp and the places that the app needs. A restore needs none of these
 * settings; what restores here restores with fewer of them, too.
 */
export function productionSpec(image: string, places?: Places): ContainerSpec {
  return { image, capabilities: [], noNewPrivileges: true, ...fileSystem(places) };
}

/** The root of a container, and what is mounted into it: the same at the build and in production. */
export function fileSystem({ writable, mounts }: Places = { writable: [], mounts: [] }) {
  const places = writable.filter((path) => path !== '/');
  return {
    readOnly: places.length === writable.length,
    ...(places.length > 0 && { writable: places }),
    ...(mounts.length > 0 && { mounts }),
  } satisfies Partial<ContainerSpec>;
}
