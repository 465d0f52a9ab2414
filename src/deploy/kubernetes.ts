import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IContainer, IProbe, ISecurityContext, IService, IVolume } from 'kubernetes-models/v1';
import { type Deployment, isServer, memoryOf, STOP_SECONDS } from './deployment.ts';
import { yamlFile } from './yaml.ts';

/** `uname -m` to the architecture's name in Kubernetes, of those that .NET runs on. */
const NODE_ARCHITECTURES: Record<string, string> = { x86_64: 'amd64', aarch64: 'arm64' };

/** The kubelet starts a pod with runAsNonRoot only where it knows the user's number; it looks up no names. */
function isNumber(imageUser: string): boolean {
  return /^\d+(:|$)/.test(imageUser);
}

/**
 * A container's security context that fits Pod Security `restricted`; `spec` is one of `productionSpec`. The image's own
 * user applies, or the one that the cluster gives the namespace. Only an image whose USER is a name needs its number.
 */
function securityContext({ spec, imageUser, manifest }: Deployment) {
  const { capabilities, noNewPrivileges, readOnly } = spec;
  const { uid } = manifest.process;
  return {
    runAsNonRoot: uid !== 0,
    ...(uid !== 0 && !isNumber(imageUser) && { runAsUser: uid }),
    ...(noNewPrivileges && { allowPrivilegeEscalation: false }),
    ...(readOnly && { readOnlyRootFilesystem: true }),
    ...(capabilities && { capabilities: { drop: ['ALL'] } }),
    seccompProfile: { type: 'RuntimeDefault' as const },
  } satisfies ISecurityContext;
}

/** The container of a pod, without probes. */
export function podContainer(deployment: Deployment) {
  const { name, port, manifest } = deployment;
  const { request, limit } = memoryOf(manifest);
  return {
    name,
    image: deployment.spec.image,
    ...(isServer(deployment) && { ports: [{ name: 'http', containerPort: port }] }),
    securityContext: securityContext(deployment),
    resources: { requests: { memory: `${request}Mi` }, limits: { memory: `${limit}Mi` } },
    volumeMounts: volumesOf(deployment).map(({ mount }) => mount),
  } satisfies IContainer;
}

/** The volumes that {@link podContainer} mounts. */
export function podVolumes(deployment: Deployment): IVolume[] {
  return volumesOf(deployment).map(({ volume }) => volume);
}

/** What was mounted at the build is a ConfigMap where it was read-only, else a claim: nobody knows what a cluster has. */
function volumesOf({ name: app, spec: { writable = [], mounts = [] } }: Deployment) {
  const places = writable.map((mountPath, index) => {
    const name = `writable-${index + 1}`;
    return { mount: { name, mountPath }, volume: { name, emptyDir: {} } };
  });
  const mounted = mounts.map(({ target: mountPath, readOnly }, index) => {
    const name = `mount-${index + 1}`;
    const file = mountPath.split('/').at(-1)!;
    const source = readOnly
      ? { configMap: { name: `${app}-${name}` } }
      : { persistentVolumeClaim: { claimName: `${app}-${name}` } };
    return {
      mount: {
        name,
        mountPath,
        ...(readOnly && { readOnly }),
        ...(readOnly && file.includes('.') && { subPath: file }),
      },
      volume: { name, ...source },
    };
  });
  const tmp = {
    mount: { name: 'tmp', mountPath: '/tmp' },
    volume: { name: 'tmp', emptyDir: { medium: 'Memory' } },
  };
  return [tmp, ...places, ...mounted];
}

/** Comments on the parts of {@link podContainer}, which is at this path. */
export function containerComments(
  { imageUser, manifest, spec: { mounts = [] } }: Deployment,
  path: string,
): Record<string, string> {
  return {
    [`${path} securityContext`]:
      manifest.process.uid === 0
        ? 'What Pod Security’s level restricted asks for, but for runAsNonRoot: the image’s user is root.'
        : 'What Pod Security’s level restricted asks for. A restore needs none of it.',
    ...userComment(imageUser, manifest.process.uid, `${path} securityContext`),
    [`${path} resources`]:
      'A guess from the size of the snapshot; measure your app under load and correct it. Files in /tmp count.',
    [`${path} volumeMounts`]: `.NET writes to /tmp. A restore needs to write there, too.${mounts.length > 0 ? ` Replace what is called mount-… by what holds ${mounts.map(({ target }) => target).join(', ')} in your cluster.` : ''}`,
  };
}

function userComment(imageUser: string, uid: number, path: string): Record<string, string> {
  if (uid === 0) return {};
  if (!isNumber(imageUser))
    return {
      [`${path} runAsUser`]: `The number of the image’s user, which is the name ${imageUser}: the kubelet can’t tell of a name that it is not root, and would start nothing. A restored app has any user and groups that the pod gives it; they must be able to read its files. On OpenShift remove this line: it gives each namespace users of its own.`,
    };
  return {
    [`${path} runAsNonRoot`]:
      'No runAsUser: the image’s own user applies, which is a number, so that the kubelet can tell that it is not root. OpenShift gives each namespace users of its own. A restored app has any user and groups that the pod gives it (runAsUser, runAsGroup, fsGroup, supplementalGroups); they must be able to read its files.',
  };
}

/**
 * Asks the app, at a port by its name or number, as the build did; what the kubelet can't ask by, HTTP/2 in the clear, is
 * asked for a connection. Undefined where it could ask nothing.
 */
export function probe(
  { readyPath, ready = {} }: Deployment,
  port: string | number,
  rest: Omit<IProbe, 'httpGet' | 'tcpSocket' | 'exec'> = {},
): IProbe | undefined {
  const { by = 'http', protocol, host, argv } = ready;
  if (by === 'command' && argv) return { exec: { command: argv }, ...rest };
  if (by === 'port' || (by === 'http' && protocol === 'h2c')) return { tcpSocket: { port }, ...rest };
  if (by !== 'http') return undefined;
  const named = host !== undefined && host !== 'localhost';
  return {
    httpGet: {
      path: readyPath,
      port,
      ...(protocol === 'https' && { scheme: 'HTTPS' as const }),
      // The kubelet would name the pod's address, which a filter such as AllowedHosts refuses.
      ...(named && { httpHeaders: [{ name: 'Host', value: host }] }),
    },
    ...rest,
  };
}

/** The probes of a container by their names; none where there is nothing to ask. */
export function probes(deployment: Deployment, port: string | number, named: Record<string, Omit<IProbe, 'httpGet'>>) {
  const all = Object.entries(named).map(([name, rest]) => [name, probe(deployment, port, rest)] as const);
  return Object.fromEntries(all.filter((entry): entry is [string, IProbe] => entry[1] !== undefined));
}

/** A Deployment and its Service. */
export function kubernetesFile(deployment: Deployment): string {
  const { name, manifest } = deployment;
  const labels = { 'app.kubernetes.io/name': name };
  const asked = probes(deployment, 'http', {
    startupProbe: { periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { periodSeconds: 5 },
    livenessProbe: { periodSeconds: 10, timeoutSeconds: 5 },
  });
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
            'kubernetes.io/arch': NODE_ARCHITECTURES[manifest.host.architecture] ?? manifest.host.architecture,
          },
          automountServiceAccountToken: false,
          terminationGracePeriodSeconds: STOP_SECONDS,
          containers: [
            {
              ...podContainer(deployment),
              ...asked,
            },
          ],
          volumes: podVolumes(deployment),
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
      `Made by dotnet-snapshot for snapshot ${manifest.id}. It needs a node like the build machine.`,
      'Where a restore is not possible, the app starts normally, and its log says why.',
    ].join('\n'),
    {
      value: workload,
      comments: {
        [`${pod} nodeSelector`]:
          'The machine code in the snapshot is of this architecture. Its CPU features count, too.',
        [`${pod} automountServiceAccountToken`]: 'Remove this if the app asks the cluster’s API.',
        [`${pod} terminationGracePeriodSeconds`]: 'A .NET host gives its services 30 s to stop.',
        ...containerComments(deployment, container),
        ...(asked.startupProbe && {
          [`${container} startupProbe`]:
            'Asked each second, the least that the kubelet knows. 60 failures leave time for a normal start.',
        }),
        ...(asked.livenessProbe?.httpGet && {
          [`${container} livenessProbe`]: 'Better a path that checks nothing outside of the app, if there is one.',
        }),
        [`${pod} volumes`]: 'In memory, as with docker run --tmpfs.',
      },
    },
    ...(isServer(deployment) ? [{ value: service }] : []),
  );
}
