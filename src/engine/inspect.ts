import { parseTimestamp, splitOnce } from './text.ts';

/** What this product needs to know of an image. */
export interface ImageInfo {
  id: string;
  /** Tags and digests by which this engine knows it. */
  names: string[];
  entrypoint: string[];
  command: string[];
  user: string;
  workingDirectory: string;
  env: Record<string, string>;
  labels: Record<string, string>;
  /** Bytes, all layers. */
  size: number;
}

/** What this product needs to know of a container that it did not start in this run. */
export interface ContainerInfo {
  id: string;
  name: string;
  running: boolean;
  /** Reference of its image, as it was given when it was created. */
  image: string;
  /** Its image's variables included. */
  env: Record<string, string>;
  labels: Record<string, string>;
  /** Ports of it, and those of this machine that they are published at. */
  published: { container: number; host: number }[];
}

/** A container's state. `startedAt` is in milliseconds since the epoch, with fractions. */
export interface ContainerState {
  running: boolean;
  exitCode: number;
  startedAt: number;
}

/** What `docker image inspect` prints of one image. */
export function imageInfo(json: string): ImageInfo {
  const [image] = JSON.parse(json) as [
    {
      Id: string;
      RepoTags?: string[] | null;
      RepoDigests?: string[] | null;
      Size: number;
      Config: {
        Entrypoint?: string[] | null;
        Cmd?: string[] | null;
        User?: string;
        WorkingDir?: string;
        Env?: string[] | null;
        Labels?: Record<string, string> | null;
      };
    },
  ];
  return {
    id: image.Id,
    names: [...(image.RepoTags ?? []), ...(image.RepoDigests ?? [])],
    entrypoint: image.Config.Entrypoint ?? [],
    command: image.Config.Cmd ?? [],
    user: image.Config.User ?? '',
    workingDirectory: image.Config.WorkingDir || '/',
    env: variables(image.Config.Env),
    labels: image.Config.Labels ?? {},
    size: image.Size,
  };
}

/** What `docker container inspect` prints of one container. */
export function containerInfo(json: string): ContainerInfo {
  const [container] = JSON.parse(json) as [
    {
      Id: string;
      Name: string;
      State: { Running: boolean };
      Config: { Image: string; Env?: string[] | null; Labels?: Record<string, string> | null };
      NetworkSettings?: { Ports?: Record<string, { HostPort: string }[] | null> | null };
    },
  ];
  return {
    id: container.Id,
    name: container.Name.replace(/^\//, ''),
    running: container.State.Running,
    image: container.Config.Image,
    env: variables(container.Config.Env),
    labels: container.Config.Labels ?? {},
    published: Object.entries(container.NetworkSettings?.Ports ?? {}).flatMap(([port, at]) =>
      (at ?? []).slice(0, 1).map(({ HostPort }) => ({ container: Number.parseInt(port, 10), host: Number(HostPort) })),
    ),
  };
}

/** A container's `.State` as Docker prints it. */
export function containerState(json: string): ContainerState {
  const state = JSON.parse(json) as { Running: boolean; ExitCode: number; StartedAt: string };
  return { running: state.Running, exitCode: state.ExitCode, startedAt: parseTimestamp(state.StartedAt) };
}

function variables(entries: string[] | null | undefined): Record<string, string> {
  return Object.fromEntries((entries ?? []).map((entry) => splitOnce(entry, '=')));
}
