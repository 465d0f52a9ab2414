import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IContainer, IProbe, ISecurityContext, IService } from 'kubernetes-models/v1';
import type { ContainerSpec } from '../engine/container.ts';
import { type Deployment, imageOf, memoryOf, STOP_SECONDS } from './deployment.ts';
import { goArchitecture } from './seccomp.ts';
import { yamlFile } from './yaml.ts';

/** Path of the seccomp profile on a node, below the kubelet's folder for profiles. */
export const NODE_PROFILE = 'dotnet-snapshot/seccomp.json';

/** A container's security context that grants what the container spec grants; `spec` is one of `productionSpec`. */
export function securityContext(
  { capabilities, seccomp, noNewPrivileges, readOnly }: ContainerSpec,
  { uid, gid }: { uid: number; gid: number },
) {
  return {
    runAsNonRoot: uid !== 0,
    runAsUser: uid,
    runAsGroup: gid,
    ...(noNewPrivileges && { allowPrivilegeEscalation: false }),
    ...(readOnly && { readOnlyRootFilesystem: true }),
    ...(capabilities && { capabilities: { drop: ['ALL'], add: [...capabilities] } }),
    ...(seccomp !== undefined && { seccompProfile: { type: 'Localhost' as const, localhostProfile: seccomp } }),
  } satisfies ISecurityContext;
}

/** The container of a pod, without probes. */
export function podContainer(deployment: Deployment) {
  const { name, port, manifest } = deployment;
  const { request, limit } = memoryOf(manifest);
  return {
    name,
    image: imageOf(deployment),
    ports: [{ name: 'http', containerPort: port }],
    securityContext: securityContext(deployment.spec(NODE_PROFILE), manifest.process),
    resources: { requests: { memory: `${request}Mi` }, limits: { memory: `${limit}Mi` } },
    volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
  } satisfies IContainer;
}

/** The volumes that {@link podContainer} mounts. */
export const POD_VOLUMES = [{ name: 'tmp', emptyDir: { medium: 'Memory' } }];

/** Comments on the parts of {@link podContainer}, which is at this path. */
export function containerComments(path: string): Record<string, string> {
  return {
    [`${path} securityContext runAsUser`]:
      'The user and group of the checkpoint: without privileges a restore can’t change them, nor the groups.',
    [`${path} securityContext capabilities`]:
      'CRIU needs these two to restore; the app itself gets none. Pod Security must allow the first: its level baseline does not.',
    [`${path} securityContext seccompProfile`]:
      'The default profile with clone3 allowed, by which a restored process gets its old PID. It must be on the node: see seccomp-nodes.yaml, or seccomp-operator.yaml with the Security Profiles Operator, whose path is another.',
    [`${path} resources`]:
      'A guess from the size of the snapshot; measure your app under load and correct it. Files in /tmp count.',
    [`${path} volumeMounts`]: 'CRIU and .NET write to /tmp, and to nothing else of their own.',
  };
}

/** An HTTP probe of the app, at a port by its name or number. */
export function probe({ readyPath }: Deployment, port: string | number, rest: Omit<IProbe, 'httpGet'> = {}) {
  return { httpGet: { path: readyPath, port }, ...rest } satisfies IProbe;
}

/** A Deployment and its Service. */
export function kubernetesFile(deployment: Deployment): string {
  const { name, manifest } = deployment;
  const labels = { 'app.kubernetes.io/name': name };
  const workload: IDeployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: {
            'kubernetes.io/os': 'linux',
            'kubernetes.io/arch': goArchitecture(manifest.host.architecture),
          },
          automountServiceAccountToken: false,
          securityContext: { runAsNonRoot: manifest.process.uid !== 0 },
          terminationGracePeriodSeconds: STOP_SECONDS,
          containers: [
            {
              ...podContainer(deployment),
              startupProbe: probe(deployment, 'http', { periodSeconds: 1, failureThreshold: 60 }),
              readinessProbe: probe(deployment, 'http', { periodSeconds: 5 }),
              livenessProbe: probe(deployment, 'http', { periodSeconds: 10, timeoutSeconds: 5 }),
            },
          ],
          volumes: POD_VOLUMES,
        },
      },
    },
  };
  const service: IService = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, labels },
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  };
  const pod = 'spec template spec';
  const container = `${pod} containers 0`;
  return yamlFile(
    [
      `Made by dotnet-snapshot for snapshot ${manifest.id}. The nodes need the seccomp profile first: seccomp-nodes.yaml.`,
      'Where one of these settings is missing, the app starts normally, and its log says which.',
    ].join('\n'),
    {
      value: workload,
      comments: {
        [`${pod} nodeSelector`]:
          'The machine code in the snapshot is of this architecture. Its CPU features count, too.',
        [`${pod} automountServiceAccountToken`]: 'Remove this if the app asks the cluster’s API.',
        [`${pod} securityContext`]:
          'No fsGroup and no supplementalGroups: they would add groups that the checkpoint has not, and the app would start normally. The image’s own groups are those of the checkpoint.',
        [`${pod} terminationGracePeriodSeconds`]: 'A .NET host gives its services 30 s to stop.',
        ...containerComments(container),
        [`${container} startupProbe`]:
          'Asked each second, the least that the kubelet knows. 60 failures leave time for a normal start.',
        [`${container} livenessProbe`]: 'Better a path that checks nothing outside of the app, if there is one.',
        [`${pod} volumes`]: 'In memory, as with docker run --tmpfs.',
      },
    },
    { value: service },
  );
}
