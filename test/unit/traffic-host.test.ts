import { expect, test } from 'vitest';
import { hostOf } from '../../src/traffic/host.ts';

const traffic = (...hosts: (string | undefined)[]) => ({
  file: 't',
  digest: '',
  exchanges: hosts.map((host) => ({
    ...{ name: 'get', method: 'GET', path: '/', repeat: 1 },
    headers: host === undefined ? {} : { host },
  })),
});

test('the Host that requests name is that of the probes, too', () => {
  expect(hostOf(traffic('shop.example', undefined, 'shop.example'))).toBe('shop.example');
});

test.each([[[undefined]], [['a.example', 'b.example']], [['{{host}}']], [[]]])('%j names no one Host', (hosts) => {
  expect(hostOf(traffic(...hosts))).toBeUndefined();
});
