import { childrenOf, contentOf, type DerElement, elementAt, integerSize, TAG } from './der.ts';

/** A key in binary form. Its value stays in the worker that found it. */
export interface BinarySecret {
  ruleId: string;
  description: string;
  /** Index of its first byte, and bytes in all. What lies within is part of it and no finding of its own. */
  start: number;
  length: number;
  /** The whole structure, a view of the bytes that were searched. */
  secret: Buffer;
}

type Kind = Pick<BinarySecret, 'ruleId' | 'description'>;

const PRIVATE_KEY: Kind = { ruleId: 'private-key-der', description: 'Private key in binary form (DER)' };
const ENCRYPTED_KEY: Kind = {
  ruleId: 'encrypted-private-key-der',
  description: 'Private key under a password, in binary form (DER)',
};
const PFX: Kind = { ruleId: 'pfx', description: 'PFX file (PKCS #12), which holds a private key' };

const oid = (hex: string) => Buffer.from(hex, 'hex');
const RSA = oid('2a864886f70d010101');
const RSA_PSS = oid('2a864886f70d01010a');
const EC = oid('2a8648ce3d0201');
/** X25519, X448, Ed25519, Ed448 are 1.3.101.110 to 113. */
const EDWARDS = oid('2b65');
/** ML-KEM, ML-DSA and SLH-DSA. */
const POST_QUANTUM = [oid('6086480165030404'), oid('6086480165030403')];
/** Schemes of PKCS #5 and PKCS #12 that encrypt by a password. */
const BY_PASSWORD = [oid('2a864886f70d0105'), oid('2a864886f70d010c01')];
/** Content that PKCS #7 names data or signed data. */
const PKCS7 = [oid('2a864886f70d010701'), oid('2a864886f70d010702')];

/**
 * The private key whose outer SEQUENCE (0x30) is at `at`: PKCS #8, open or under a password, PKCS #1, SEC 1, or a PFX.
 * The whole structure is read and must end where its length says, so that chance finds none.
 */
export function binarySecretAt(bytes: Buffer, at: number): BinarySecret | undefined {
  if (bytes[at] !== TAG.SEQUENCE) return undefined;
  const outer = elementAt(bytes, at, bytes.length);
  if (outer === undefined || outer.to - outer.from < 32) return undefined;
  const kind = kindOf(bytes, outer);
  if (kind === undefined) return undefined;
  const secret = bytes.subarray(outer.start, outer.to);
  return { ...kind, start: outer.start, length: secret.length, secret };
}

function kindOf(bytes: Buffer, outer: DerElement): Kind | undefined {
  const first = elementAt(bytes, outer.from, outer.to);
  if (first?.tag === TAG.SEQUENCE) return isEncryptedKey(bytes, outer) ? ENCRYPTED_KEY : undefined;
  if (first?.tag !== TAG.INTEGER || first.to - first.from !== 1) return undefined;
  const version = bytes[first.from]!;
  const parts = childrenOf(bytes, outer);
  if (parts === undefined) return undefined;
  if (version === 3) return isPfx(bytes, parts) ? PFX : undefined;
  const isKey =
    (version <= 1 && (isRsaKey(bytes, parts) || isKeyInfo(bytes, parts))) || (version === 1 && isEcKey(bytes, parts));
  return isKey ? PRIVATE_KEY : undefined;
}

/** PKCS #1: version, modulus, public exponent, private exponent, two primes and three more; others may follow. */
function isRsaKey(bytes: Buffer, parts: readonly DerElement[]): boolean {
  if (parts.length < 9) return false;
  const [n = 0, e = 0, d = 0, p = 0, q = 0, dp = 0, dq = 0, qInverse = 0] = parts
    .slice(1, 9)
    .map((part) => integerSize(bytes, part));
  return (
    n >= 64 &&
    e >= 1 &&
    e <= 8 &&
    d > n / 2 &&
    d <= n &&
    p > n / 4 &&
    q > n / 4 &&
    p + q >= n &&
    p + q <= n + 2 &&
    dp >= 1 &&
    dp <= p &&
    dq >= 1 &&
    dq <= q &&
    qInverse >= 1 &&
    qInverse <= p &&
    isVaried(contentOf(bytes, parts[3]!))
  );
}

/** SEC 1: version 1, the key, then curve or public key or both. */
function isEcKey(bytes: Buffer, [, key, ...rest]: readonly DerElement[]): boolean {
  return (
    rest.length >= 1 &&
    rest.length <= 2 &&
    rest.every(({ tag }) => tag === 0xa0 || tag === 0xa1) &&
    isEcScalar(bytes, key)
  );
}

function isEcScalar(bytes: Buffer, key: DerElement | undefined): boolean {
  const size = key?.tag === TAG.OCTET_STRING ? key.to - key.from : 0;
  return size >= 20 && size <= 72 && isVaried(contentOf(bytes, key!));
}

/** PKCS #8: version, algorithm, the key as that algorithm writes it; attributes and public key may follow. */
function isKeyInfo(bytes: Buffer, [, algorithm, key, ...rest]: readonly DerElement[]): boolean {
  if (algorithm?.tag !== TAG.SEQUENCE || key?.tag !== TAG.OCTET_STRING) return false;
  if (rest.length > 2 || rest.some(({ tag }) => tag !== 0xa0 && tag !== 0x81 && tag !== 0xa1)) return false;
  const name = elementAt(bytes, algorithm.from, algorithm.to);
  if (name?.tag !== TAG.OID) return false;
  const id = contentOf(bytes, name);
  const inner = elementAt(bytes, key.from, key.to);
  const parts = inner?.tag === TAG.SEQUENCE && inner.to === key.to ? (childrenOf(bytes, inner) ?? []) : [];
  if (id.equals(RSA) || id.equals(RSA_PSS)) return isRsaKey(bytes, parts);
  if (id.equals(EC)) return integerSize(bytes, parts[0]) === 1 && isEcScalar(bytes, parts[1]);
  if (id.length === 3 && id.subarray(0, 2).equals(EDWARDS)) {
    return inner?.tag === TAG.OCTET_STRING && inner.to === key.to && isEcScalar(bytes, inner);
  }
  return POST_QUANTUM.some((prefix) => startsWith(id, prefix)) && isVaried(contentOf(bytes, key));
}

/** PKCS #8 under a password: the algorithm that encrypts, with its parameters, then what is encrypted. */
function isEncryptedKey(bytes: Buffer, outer: DerElement): boolean {
  const [algorithm, data, ...rest] = childrenOf(bytes, outer) ?? [];
  if (algorithm?.tag !== TAG.SEQUENCE || data?.tag !== TAG.OCTET_STRING || rest.length > 0) return false;
  const [name, parameters, ...more] = childrenOf(bytes, algorithm) ?? [];
  if (name?.tag !== TAG.OID || parameters?.tag !== TAG.SEQUENCE || more.length > 0) return false;
  const size = data.to - data.from;
  return BY_PASSWORD.some((prefix) => startsWith(contentOf(bytes, name), prefix)) && size >= 40 && size % 8 === 0;
}

/** PKCS #12: version 3, content, and usually a MAC. */
function isPfx(bytes: Buffer, [, content, mac, ...rest]: readonly DerElement[]): boolean {
  if (content?.tag !== TAG.SEQUENCE || rest.length > 0) return false;
  if (mac !== undefined && mac.tag !== TAG.SEQUENCE) return false;
  const [type, data, ...more] = childrenOf(bytes, content) ?? [];
  if (type?.tag !== TAG.OID || data?.tag !== 0xa0 || more.length > 0 || data.to - data.from < 32) return false;
  return PKCS7.some((id) => contentOf(bytes, type).equals(id));
}

function startsWith(bytes: Buffer, prefix: Buffer): boolean {
  return bytes.subarray(0, prefix.length).equals(prefix);
}

/** True for bytes that chance may have made; zeros, counters of few values and the like are no keys. */
function isVaried(bytes: Buffer): boolean {
  return new Set(bytes).size >= Math.min(14, bytes.length * 0.6);
}
