import { damaged } from './damage.ts';

/** The fields of one protobuf message by number, in order: integers of any width as bigint, the rest as bytes. */
export type Fields = Map<number, (bigint | Buffer)[]>;

/** What a message of this size could hold at most; a longer one is no record of CRIU's. */
const MOST_FIELDS = 4_000_000;

/**
 * Reads a protobuf message without its schema (wire types 0, 1, 2 and 5). Buffers are views of `message`.
 * `file` is the name for errors; throws DS4002 for anything that is not a whole message.
 */
export function fieldsOf(message: Buffer, file: string): Fields {
  const fields: Fields = new Map();
  let at = 0;
  let count = 0;
  const varint = (): bigint => {
    // Most numbers are small; BigInt arithmetic is for the others.
    const first = message[at];
    if (first !== undefined && first < 0x80) {
      at++;
      return BigInt(first);
    }
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = message[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw damaged(file, 'it holds a broken number');
  };
  const take = (bytes: number): Buffer => {
    const end = at + bytes;
    if (end > message.length) throw damaged(file, 'a record in it is cut short');
    const piece = message.subarray(at, end);
    at = end;
    return piece;
  };
  while (at < message.length) {
    const tag = Number(varint());
    let value: bigint | Buffer;
    const wireType = tag & 7;
    if (wireType === 0) value = varint();
    else if (wireType === 1) value = take(8).readBigUInt64LE(0);
    else if (wireType === 2) value = take(Number(varint()));
    else if (wireType === 5) value = BigInt(take(4).readUInt32LE(0));
    else throw damaged(file, 'it holds an unknown kind of field');
    if (++count > MOST_FIELDS) throw damaged(file, 'a record in it has too many fields');
    const number = Math.floor(tag / 8);
    const values = fields.get(number);
    if (values === undefined) fields.set(number, [value]);
    else values.push(value);
  }
  return fields;
}

/** The last integer with this number, as protobuf has it; undefined where there is none. */
export function integer(fields: Fields, number: number): bigint | undefined {
  const value = fields.get(number)?.at(-1);
  return typeof value === 'bigint' ? value : undefined;
}

/** All integers with this number, packed or not. */
export function integers(fields: Fields, number: number, file: string): bigint[] {
  return (fields.get(number) ?? []).flatMap((value) => (typeof value === 'bigint' ? [value] : packed(value, file)));
}

/** All byte strings (texts, messages) with this number. */
export function pieces(fields: Fields, number: number): Buffer[] {
  return (fields.get(number) ?? []).filter((value) => typeof value !== 'bigint');
}

/** The last text with this number. */
export function text(fields: Fields, number: number): string | undefined {
  return pieces(fields, number).at(-1)?.toString('utf8');
}

/** The last message with this number. */
export function message(fields: Fields, number: number, file: string): Fields | undefined {
  const bytes = pieces(fields, number).at(-1);
  return bytes === undefined ? undefined : fieldsOf(bytes, file);
}

function packed(bytes: Buffer, file: string): bigint[] {
  const values: bigint[] = [];
  let value = 0n;
  let shift = 0n;
  for (const byte of bytes) {
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (shift > 70n) throw damaged(file, 'it holds a broken number');
    if (byte >= 0x80) continue;
    values.push(BigInt.asUintN(64, value));
    value = 0n;
    shift = 0n;
  }
  if (shift !== 0n) throw damaged(file, 'it holds a broken number');
  return values;
}
