/** Tags of the elements that private keys are made of. */
export const TAG = { INTEGER: 0x02, BIT_STRING: 0x03, OCTET_STRING: 0x04, OID: 0x06, SEQUENCE: 0x30 } as const;

/** An element in DER, by indices in the bytes that hold it. */
export interface DerElement {
  tag: number;
  start: number;
  /** Of its content. */
  from: number;
  /** Of its content and of the whole element. */
  to: number;
}

/** Bytes of the longest structure that is looked at. A PFX with a chain of certificates is far smaller. */
const MAX_CONTENT = 64 * 1024;

/**
 * The element at an index; nothing where there is none that ends by `limit`. Strict: a length in more bytes than it
 * needs, of which chance makes many, is no DER.
 */
export function elementAt(bytes: Buffer, at: number, limit: number): DerElement | undefined {
  if (at < 0 || at + 2 > limit) return undefined;
  const first = bytes[at + 1]!;
  const sizeBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || sizeBytes > 3 || at + 2 + sizeBytes > limit) return undefined;
  const length = sizeBytes === 0 ? first : bytes.readUIntBE(at + 2, sizeBytes);
  if (sizeBytes > 0 && length < (sizeBytes === 1 ? 0x80 : 1 << (8 * (sizeBytes - 1)))) return undefined;
  const from = at + 2 + sizeBytes;
  return length <= MAX_CONTENT && from + length <= limit
    ? { tag: bytes[at]!, start: at, from, to: from + length }
    : undefined;
}

/** The elements that fill the content of another exactly; nothing where they don't, or where there are too many. */
export function childrenOf(bytes: Buffer, parent: DerElement, max = 16): DerElement[] | undefined {
  const children: DerElement[] = [];
  for (let at = parent.from; at < parent.to; ) {
    const child = children.length < max ? elementAt(bytes, at, parent.to) : undefined;
    if (child === undefined) return undefined;
    children.push(child);
    at = child.to;
  }
  return children;
}

/** The content of an element. */
export function contentOf(bytes: Buffer, { from, to }: DerElement): Buffer {
  return bytes.subarray(from, to);
}

/** A positive INTEGER's size in bytes, without the zero that keeps it positive; 0 where it is none. */
export function integerSize(bytes: Buffer, element: DerElement | undefined): number {
  if (element?.tag !== TAG.INTEGER || element.from === element.to || bytes[element.from]! >= 0x80) return 0;
  const hasZero = bytes[element.from] === 0;
  if (hasZero && element.to - element.from > 1 && bytes[element.from + 1]! < 0x80) return 0;
  return element.to - element.from - (hasZero ? 1 : 0);
}
