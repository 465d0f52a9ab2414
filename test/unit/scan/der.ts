import { generateKeyPairSync } from 'node:crypto';
import type { Random } from './random.ts';

/** A DER element: its tag, and its content or the elements in it. */
function element(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...content: Buffer[]) => element(0x30, ...content);
const integer = (value: number | Buffer) => element(0x02, Buffer.isBuffer(value) ? value : Buffer.from([value]));
const octets = (...content: Buffer[]) => element(0x04, ...content);
const oid = (hex: string) => element(0x06, Buffer.from(hex, 'hex'));
const explicit = (number: number, ...content: Buffer[]) => element(0xa0 | number, ...content);

const NULL = Buffer.from([0x05, 0x00]);
const RSA_ENCRYPTION = oid('2a864886f70d010101');
const DATA = oid('2a864886f70d010701');
const SHROUDED_KEY_BAG = oid('2a864886f70d010c0a0102');
const SHA_256 = oid('608648016503040201');

/** A positive INTEGER of exactly that many bytes, as a prime of a key is. */
function number(random: Random, bytes: number): Buffer {
  const value = random.bytes(bytes);
  // The highest bit is set in every RSA modulus and prime, so DER puts a zero before it.
  value[0]! |= 0x80;
  value[bytes - 1]! |= 1;
  return integer(Buffer.concat([Buffer.from([0]), value]));
}

/** RSAPrivateKey of PKCS#1 with 2048 bits. The numbers have the right sizes and are no real key. */
export function rsaKey(random: Random): Buffer {
  const primes = [128, 128, 128, 128, 128].map((bytes) => number(random, bytes));
  const publicExponent = integer(Buffer.from([1, 0, 1]));
  return sequence(integer(0), number(random, 256), publicExponent, number(random, 256), ...primes);
}

/** PrivateKeyInfo of PKCS#8 around {@link rsaKey}. */
export function rsaKeyInfo(random: Random): Buffer {
  return sequence(integer(0), sequence(RSA_ENCRYPTION, NULL), octets(rsaKey(random)));
}

/** A fresh P-256 key: real, since it costs nothing. */
export function ecKey(type: 'sec1' | 'pkcs8'): Buffer {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type, format: 'der' });
}

/** A PFX file (PKCS#12) with one shrouded key bag that holds a fresh key under a password, and a MAC. */
export function pfx(random: Random): Buffer {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const encrypted = privateKey.export({
    type: 'pkcs8',
    format: 'der',
    cipher: 'aes-256-cbc',
    passphrase: random.password(),
  });
  const bags = sequence(sequence(SHROUDED_KEY_BAG, explicit(0, encrypted)));
  const safe = sequence(sequence(DATA, explicit(0, octets(bags))));
  const digest = sequence(sequence(SHA_256, NULL), octets(random.bytes(32)));
  const mac = sequence(digest, octets(random.bytes(8)), integer(Buffer.from([0x08, 0x00])));
  return sequence(integer(3), sequence(DATA, explicit(0, octets(safe))), mac);
}

/** A key as PEM text. */
export function pem(label: string, der: Buffer, newline = '\n'): string {
  const body = der.toString('base64').replaceAll(/.{64}/g, `$&${newline}`).trimEnd();
  return `-----BEGIN ${label}-----${newline}${body}${newline}-----END ${label}-----${newline}`;
}
