/** A pod's template, as far as Pod Security looks at it. */
interface Template {
  metadata?: { annotations?: Record<string, string> };
  spec?: Pod;
}
interface Pod {
  hostNetwork?: boolean;
  hostPID?: boolean;
  hostIPC?: boolean;
  securityContext?: Rights & { sysctls?: { name: string }[] };
  containers?: Container[];
  initContainers?: Container[];
  ephemeralContainers?: Container[];
  volumes?: { name: string; [kind: string]: unknown }[];
}
interface Container {
  securityContext?: Rights;
  ports?: { hostPort?: number }[];
  livenessProbe?: Handler;
  readinessProbe?: Handler;
  startupProbe?: Handler;
  lifecycle?: { postStart?: Handler; preStop?: Handler };
}
interface Handler {
  httpGet?: { host?: string };
  tcpSocket?: { host?: string };
}
interface Rights {
  privileged?: boolean;
  allowPrivilegeEscalation?: boolean;
  runAsNonRoot?: boolean;
  runAsUser?: number;
  procMount?: string;
  capabilities?: { add?: string[]; drop?: string[] };
  seccompProfile?: { type: string };
  appArmorProfile?: { type: string };
  seLinuxOptions?: { type?: string; user?: string; role?: string };
  windowsOptions?: { hostProcess?: boolean };
}

const SELINUX_TYPES = [undefined, '', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t'];
const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];
const VOLUMES = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
];
const APPARMOR = 'container.apparmor.security.beta.kubernetes.io/';

/**
 * Every control of the level `restricted`, those of `baseline` included, by the name that Kubernetes gives it in
 * https://kubernetes.io/docs/concepts/security/pod-security-standards/. A control of `restricted` that is stricter than
 * the one of `baseline` stands for both. True where a pod fits.
 */
const CONTROLS: Record<string, (pod: Pod, containers: Container[], template: Template) => boolean> = {
  HostProcess: (pod, containers) => rightsOf(pod, containers).every((rights) => !rights.windowsOptions?.hostProcess),
  'Host Namespaces': ({ hostNetwork, hostPID, hostIPC }) => !hostNetwork && !hostPID && !hostIPC,
  'Privileged Containers': (_pod, containers) => containers.every((one) => !one.securityContext?.privileged),
  Capabilities: (_pod, containers) =>
    containers.every(({ securityContext }) => {
      const { add = [], drop = [] } = securityContext?.capabilities ?? {};
      return drop.includes('ALL') && add.every((name) => name === 'NET_BIND_SERVICE');
    }),
  'Volume Types': ({ volumes = [] }) =>
    volumes.every(({ name, ...source }) => Object.keys(source).every((kind) => VOLUMES.includes(kind))),
  'Host Ports': (_pod, containers) => containers.every(({ ports = [] }) => ports.every(({ hostPort }) => !hostPort)),
  'Host Probes': (_pod, containers) =>
    containers
      .flatMap((one) => [
        one.livenessProbe,
        one.readinessProbe,
        one.startupProbe,
        ...Object.values(one.lifecycle ?? {}),
      ])
      .every((handler) => !handler?.httpGet?.host && !handler?.tcpSocket?.host),
  AppArmor: (pod, containers, { metadata }) =>
    rightsOf(pod, containers).every(({ appArmorProfile }) => appArmorProfile?.type !== 'Unconfined') &&
    Object.entries(metadata?.annotations ?? {})
      .filter(([name]) => name.startsWith(APPARMOR))
      .every(([, profile]) => profile === 'runtime/default' || profile.startsWith('localhost/')),
  SELinux: (pod, containers) =>
    rightsOf(pod, containers).every(
      ({ seLinuxOptions: { type, user, role } = {} }) => SELINUX_TYPES.includes(type) && !user && !role,
    ),
  '/proc Mount Type': (_pod, containers) =>
    containers.every(({ securityContext }) => [undefined, 'Default'].includes(securityContext?.procMount)),
  Sysctls: ({ securityContext }) => (securityContext?.sysctls ?? []).every(({ name }) => SAFE_SYSCTLS.includes(name)),
  'Privilege Escalation': (_pod, containers) =>
    containers.every((one) => one.securityContext?.allowPrivilegeEscalation === false),
  'Running as Non-root': (pod, containers) =>
    pod.securityContext?.runAsNonRoot !== false &&
    containers.every(({ securityContext }) => securityContext?.runAsNonRoot ?? pod.securityContext?.runAsNonRoot),
  'Running as Non-root user': (pod, containers) => rightsOf(pod, containers).every(({ runAsUser }) => runAsUser !== 0),
  Seccomp: (pod, containers) =>
    pod.securityContext?.seccompProfile?.type !== 'Unconfined' &&
    containers.every(({ securityContext }) =>
      ['RuntimeDefault', 'Localhost'].includes(
        (securityContext?.seccompProfile ?? pod.securityContext?.seccompProfile)?.type ?? '',
      ),
    ),
};

function rightsOf(pod: Pod, containers: Container[]): Rights[] {
  return [pod, ...containers].map(({ securityContext }) => securityContext ?? {});
}

/** The controls of Pod Security's level `restricted` that pods of this template violate. */
export function violations(template: Template): string[] {
  const { spec: pod = {} } = template;
  const containers = [pod.containers, pod.initContainers, pod.ephemeralContainers].flatMap((some) => some ?? []);
  return Object.keys(CONTROLS).filter((name) => !CONTROLS[name]!(pod, containers, template));
}
