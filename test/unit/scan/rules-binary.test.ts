import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { binarySecretAt } from '../../../src/scan/rules/binary.ts';
import { ecKey, pfx, rsaKey, rsaKeyInfo } from './der.ts';
import { Random } from './random.ts';

const random = new Random(3);
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const encrypted = { format: 'der', type: 'pkcs8', cipher: 'aes-256-cbc', passphrase: random.password() } as const;

const noise = (length: number) => random.bytes(length);

const keys: [name: string, ruleId: string, key: Buffer][] = [
  ['PKCS #1 of RSA', 'private-key-der', rsa.export({ type: 'pkcs1', format: 'der' })],
  ['PKCS #8 of RSA', 'private-key-der', rsa.export({ type: 'pkcs8', format: 'der' })],
  ['PKCS #1 with numbers of the right size', 'private-key-der', rsaKey(random)],
  ['PKCS #8 with numbers of the right size', 'private-key-der', rsaKeyInfo(random)],
  ['PKCS #8 of P-256', 'private-key-der', ecKey('pkcs8')],
  ['SEC 1 of P-256', 'private-key-der', ecKey('sec1')],
  ...(['ed25519', 'ed448', 'x25519', 'x448'] as const).map((type): [string, string, Buffer] => [
    `PKCS #8 of ${type}`,
    'private-key-der',
    generateKeyPairSync(type as 'ed25519').privateKey.export({ type: 'pkcs8', format: 'der' }),
  ]),
  ...(['P-384', 'P-521', 'secp256k1'] as const).map((namedCurve): [string, string, Buffer] => [
    `SEC 1 of ${namedCurve}`,
    'private-key-der',
    generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type: 'sec1', format: 'der' }),
  ]),
  ['PKCS #8 under a password', 'encrypted-private-key-der', rsa.export(encrypted)],
  ['PFX', 'pfx', pfx(random)],
];

describe('a key in binary form', () => {
  test.each(keys)('%s is found whole', (_, ruleId, key) => {
    const before = noise(100);
    const bytes = Buffer.concat([before, key, noise(100)]);
    const found = binarySecretAt(bytes, before.length);
    expect(found).toMatchObject({ ruleId, start: before.length, length: key.length });
    expect(found?.secret.equals(key)).toBe(true);
  });

  test.each(keys)('%s is none when cut off anywhere, or with a length that does not fit', (_, __, key) => {
    for (const length of [0, 1, 2, 3, 10, 40, key.length >> 1, key.length - 1]) {
      expect(binarySecretAt(key.subarray(0, length), 0)).toBeUndefined();
    }
    const changed = Buffer.from(key);
    const lengthByte = key[1]! < 0x80 ? 1 : 1 + (key[1]! & 0x7f);
    changed[lengthByte] = changed[lengthByte]! - 1;
    expect(binarySecretAt(changed, 0)).toBeUndefined();
  });

  test('is none where it holds no chance', () => {
    const blank = Buffer.from(ecKey('sec1'));
    blank.fill(0, 7, 39);
    expect(binarySecretAt(blank, 0)).toBeUndefined();
  });

  test('is not what is public', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(binarySecretAt(publicKey.export({ type: 'spki', format: 'der' }), 0)).toBeUndefined();
    for (const type of ['spki', 'pkcs1'] as const) {
      const key = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type, format: 'der' });
      expect(binarySecretAt(key, 0)).toBeUndefined();
    }
  });

  test('is not made by chance, and no bytes make it fail', () => {
    const bytes = noise(400_000);
    // Many SEQUENCE headers, with lengths of all sizes and the version behind them.
    for (let at = 0; at + 8 < bytes.length; at += 1 + random.below(40)) {
      const size = random.below(5);
      bytes[at] = 0x30;
      if (size > 0) bytes[at + 1] = 0x80 + size;
      bytes.set([0x02, 0x01, random.below(4)], at + 2 + size);
    }
    let found = 0;
    for (let at = 0; at < bytes.length; at++) if (binarySecretAt(bytes, at) !== undefined) found++;
    expect(found).toBe(0);
  });

  test('that is damaged anywhere makes nothing fail', () => {
    for (const [, , key] of keys) {
      for (let round = 0; round < 200; round++) {
        const bytes = Buffer.from(key);
        bytes[random.below(Math.min(80, bytes.length))] = random.below(256);
        const found = binarySecretAt(bytes, 0);
        expect(found === undefined || found.length <= bytes.length).toBe(true);
      }
    }
  });
});
