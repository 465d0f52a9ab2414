import { expect, test } from 'vitest';
import { type EngineFacts, unsuitable } from '../../src/engine/suitable.ts';

// What Docker 26 on Debian says of itself.
const good: EngineFacts = {
  server: { Version: '26.1.5+dfsg1', Components: [{ Name: 'Engine' }, { Name: 'containerd' }, { Name: 'runc' }] },
  info: {
    Name: 'vm',
    OSType: 'linux',
    Architecture: 'x86_64',
    SecurityOptions: ['name=seccomp,profile=builtin'],
    DefaultRuntime: 'runc',
  },
  endpoint: 'unix:///var/run/docker.sock',
  hostname: 'vm',
  contained: false,
};

test.each<[string, Partial<EngineFacts>]>([
  ['the usual one', {}],
  [
    'one with cgroup namespaces and AppArmor',
    { info: { ...good.info, SecurityOptions: ['name=apparmor', 'name=cgroupns'] } },
  ],
  ['one that says less of itself', { info: {} }],
  ['Docker Desktop, whose machine has another name', { info: { ...good.info, Name: 'docker-desktop' } }],
  ['one behind a port of this machine', { endpoint: 'tcp://localhost:2375' }],
  ['one in this container', { contained: true }],
])('%s can be built with', (_what, facts) => {
  expect(unsuitable({ ...good, ...facts })).toBeUndefined();
});

test.each<[string, Partial<EngineFacts>, RegExp]>([
  ['Podman', { server: { Version: '5.4.2', Components: [{ Name: 'Podman Engine' }] } }, /is Podman 5\.4\.2/],
  ['an old one', { server: { Version: '20.10.24' } }, /version 20\.10\.24, too old/],
  [
    'one without root',
    { info: { ...good.info, SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless'] } },
    /is rootless/,
  ],
  ['one that maps users', { info: { ...good.info, SecurityOptions: ['name=userns'] } }, /maps its users/],
  ['one with a kernel of its own', { info: { ...good.info, DefaultRuntime: 'runsc' } }, /starts containers by runsc/],
  ['one for Windows', { info: { ...good.info, OSType: 'windows' } }, /runs windows containers/],
  ['one on another machine', { endpoint: 'ssh://me@build.example' }, /on another machine \(ssh:\/\/build\.example\)/],
  ['one beside the job', { endpoint: 'tcp://docker:2375' }, /on another machine \(tcp:\/\/docker\)/],
  [
    'one outside of this container',
    { contained: true, hostname: '0a1b2c3d4e5f' },
    /runs in a container, and the Docker engine outside/,
  ],
])('%s is refused by name', (_what, facts, cause) => {
  expect(unsuitable({ ...good, ...facts })).toMatchObject({ code: 'DS2001', message: expect.stringMatching(cause) });
});
