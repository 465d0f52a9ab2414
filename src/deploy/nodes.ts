import type { IDaemonSet } from 'kubernetes-models/apps/v1';
import type { IConfigMap } from 'kubernetes-models/v1';
import { NODE_PROFILE } from './kubernetes.ts';
import { goArchitecture, type SeccompProfile } from './seccomp.ts';
import { yamlFile } from './yaml.ts';

/** The kubelet's folder for profiles, where it was not given another root. */
const KUBELET_FOLDER = '/var/lib/kubelet/seccomp';

/** A ConfigMap with the profile, and a DaemonSet that copies it onto every node of the architecture (`uname -m`). */
export function nodesFile(profile: SeccompProfile, machine: string): string {
  const architecture = goArchitecture(machine);
  const name = `dotnet-snapshot-seccomp-${architecture}`;
  const labels = { 'app.kubernetes.io/name': name };
  const [folder, file] = NODE_PROFILE.split('/') as [string, string];
  const security = { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } };
  const config: IConfigMap = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'kube-system', labels },
    data: { [file]: JSON.stringify(profile, null, 1) },
  };
  const daemons: IDaemonSet = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name, namespace: 'kube-system', labels },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          nodeSelector: { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': architecture },
          tolerations: [{ operator: 'Exists' }],
          automountServiceAccountToken: false,
          initContainers: [
            {
              name: 'copy',
              image: 'docker.io/library/busybox:1.37',
              command: ['cp', '-L', `/profile/${file}`, `/node/${file}`],
              securityContext: { ...security, runAsUser: 0 },
              volumeMounts: [
                { name: 'profile', mountPath: '/profile', readOnly: true },
                { name: 'node', mountPath: '/node' },
              ],
            },
          ],
          containers: [
            {
              name: 'stay',
              image: 'registry.k8s.io/pause:3.10',
              securityContext: { ...security, runAsNonRoot: true, runAsUser: 65535 },
              resources: { requests: { memory: '8Mi' }, limits: { memory: '8Mi' } },
            },
          ],
          volumes: [
            { name: 'profile', configMap: { name } },
            { name: 'node', hostPath: { path: `${KUBELET_FOLDER}/${folder}`, type: 'DirectoryOrCreate' } },
          ],
        },
      },
    },
  };
  const pod = 'spec template spec';
  return yamlFile(
    [
      `Puts the seccomp profile onto the nodes, at ${KUBELET_FOLDER}/${NODE_PROFILE}; once a cluster. It uses no image of dotnet-snapshot.`,
      'With the Security Profiles Operator, use seccomp-operator.yaml instead.',
    ].join('\n'),
    {
      value: daemons,
      comments: {
        [`${pod} tolerations`]:
          'Every node, tainted or not: where a pod lands without the profile, it can’t be started.',
        [`${pod} initContainers 0 securityContext`]: 'The folder on the node belongs to root.',
        [`${pod} containers`]: 'Does nothing: a DaemonSet needs a container that stays.',
      },
    },
    { value: config },
  );
}

/** The profile as a resource of the Security Profiles Operator, which puts it onto the nodes itself. */
export function operatorFile({ defaultErrnoRet: _, ...profile }: SeccompProfile, machine: string): string {
  const name = `dotnet-snapshot-${goArchitecture(machine)}`;
  return yamlFile(
    [
      'The seccomp profile for the Security Profiles Operator (https://github.com/kubernetes-sigs/security-profiles-operator).',
      `The pod’s localhostProfile is then operator/${name}.json; kubectl get seccompprofile ${name} --output wide tells, for older versions put the namespace between.`,
    ].join('\n'),
    {
      value: {
        apiVersion: 'security-profiles-operator.x-k8s.io/v1beta1',
        kind: 'SeccompProfile',
        metadata: { name },
        spec: profile,
      },
    },
  );
}
