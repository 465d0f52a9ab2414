import { SnapshotError } from '../errors.ts';

/** CHECKPOINT_RESTORE is unknown to older engines of some distributions. */
const OLDEST_ENGINE = 23;

/** Runtimes that start containers as processes of this kernel, by their names in Docker; wrappers of runc among them. */
const KERNEL_RUNTIMES = /^(runc|crun|youki|nvidia|io\.containerd\.runc\.v2)$/;

/** What is known of the engine before anything is built: `docker version` and `docker info`, and how it is reached. */
export interface EngineFacts {
  /** `Server` of `docker version`. */
  server: { Version?: string; Components?: { Name?: string }[] | null };
  info: {
    Name?: string;
    OSType?: string;
    Architecture?: string;
    SecurityOptions?: string[] | null;
    DefaultRuntime?: string;
  };
  /** `unix:///var/run/docker.sock` */
  endpoint: string;
  /** This machine's, or this container's, own name. */
  hostname: string;
  /** Whether this process is in a container. */
  contained: boolean;
}

/** Why an engine can't take checkpoints, or this process can't reach what runs in it; undefined where nothing is known. */
export function unsuitable(facts: EngineFacts): SnapshotError | undefined {
  const { server, info } = facts;
  const refuse = (cause: string, fix: string) => new SnapshotError('DS2001', cause, { fix });
  if (server.Components?.some(({ Name }) => /podman/i.test(Name ?? '')))
    return refuse(
      `The engine behind \`docker\` is Podman ${server.Version ?? ''}, with which builds are not supported.`,
      'Build with Docker Engine; Podman can run the image that is made.',
    );
  if (Number.parseInt(server.Version ?? '', 10) < OLDEST_ENGINE)
    return refuse(
      `The Docker engine is version ${server.Version}, too old to grant CHECKPOINT_RESTORE.`,
      `Install Docker engine ${OLDEST_ENGINE} or newer.`,
    );
  if (info.OSType !== undefined && info.OSType !== 'linux')
    return refuse(`The Docker engine runs ${info.OSType} containers.`, 'Switch it to Linux containers.');
  for (const [option, what] of [
    ['rootless', 'is rootless'],
    ['userns', 'maps its users (userns-remap)'],
  ] as const) {
    if (info.SecurityOptions?.some((entry) => entry.split(',')[0] === `name=${option}`))
      return refuse(
        `The Docker engine ${what}: its containers can't have CHECKPOINT_RESTORE where Linux asks for it, outside of their user namespace.`,
        'Build with an engine that runs as root and maps no users; the image that is made restores under any engine.',
      );
  }
  if (info.DefaultRuntime !== undefined && !KERNEL_RUNTIMES.test(info.DefaultRuntime))
    return refuse(
      `The Docker engine starts containers by ${info.DefaultRuntime}, whose processes CRIU can't see.`,
      'Set runc as the engine’s default runtime (default-runtime in daemon.json).',
    );
  return unreachable(facts);
}

/** Ports are published on the loopback of the engine's machine: what runs there must be reached from here. */
function unreachable({ endpoint, info, hostname, contained }: EngineFacts): SnapshotError | undefined {
  const remote = /^(tcp|ssh|http|https):\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^:/]*)/.exec(endpoint);
  if (remote && !/^(localhost|127\..*|\[::1\])$/.test(remote[2]!))
    return new SnapshotError(
      'DS2001',
      `The Docker engine is on another machine (${remote[1]}://${remote[2]}): the ports of its containers can't be reached from here.`,
      {
        fix: 'Run dotnet-snapshot on the engine’s machine, or in its own network, and unset DOCKER_HOST or the context.',
      },
    );
  // A container with the network of its host has its name, too, and one with an engine of its own gives it that name.
  if (contained && endpoint.startsWith('unix:') && info.Name !== undefined && info.Name !== hostname)
    return new SnapshotError(
      'DS2001',
      'This build runs in a container, and the Docker engine outside of it: the ports of its containers can’t be reached from here.',
      { fix: 'Run the job without a container, or give its container the network of the host (--network host).' },
    );
  return undefined;
}
