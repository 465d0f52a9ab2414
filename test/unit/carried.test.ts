import { randomBytes, randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/model/index.ts';
import { carriedOver, PROVEN } from '../../src/verify/carried.ts';
import { newValues } from '../../src/verify/places.ts';

/** A process as the tests tell it: what it was born with, what it counts, and its clock in milliseconds. */
interface Process {
  born: Buffer;
  count: number;
  clock: number;
  started: number;
}

/** How many answers of a process are looked at: two rounds of an exchange that is sent twice. */
const ANSWERS = 4;
const NOW = Date.UTC(2026, 10, 28, 8);

function answersOf(process: Process, make: (process: Process) => unknown, contentType = 'application/json'): Answer[] {
  return Array.from({ length: ANSWERS }, (_, index) => {
    process.count++;
    process.clock += randomInt(2, 9);
    const value = make(process);
    return {
      exchange: 'make',
      iteration: index % 2,
      method: 'POST',
      path: '/make',
      status: 200,
      headers: { 'content-type': contentType },
      body: Buffer.from(contentType.endsWith('json') ? JSON.stringify({ id: value }) : String(value)),
      micros: 1,
      unmet: [],
    };
  });
}

/** What is found of a kind of id, with clones that have what their process was born with, or are given it anew. */
function find(
  make: (process: Process) => unknown,
  { renewed = false, clones = 4, cold = 2, type = '', least = PROVEN } = {},
) {
  const warmed = { born: randomBytes(64), count: randomInt(50, 500), started: NOW };
  let clock = NOW + 20_000;
  const restored = () => {
    clock += randomInt(300, 2000);
    return { ...warmed, clock, ...(renewed && { born: randomBytes(64) }) };
  };
  const started = () => {
    clock += randomInt(800, 3000);
    return { born: randomBytes(64), count: 0, clock, started: clock };
  };
  const values = (process: Process) => newValues(answersOf(process, make, type || undefined));
  const before = Array.from({ length: clones - 1 }, () => values(restored()));
  const control = Array.from({ length: cold }, () => values(started()));
  const found = carriedOver([...before, values(restored())], control);
  return found.filter(({ evidence }) => evidence >= least);
}

const hex = (number: number | bigint, digits: number) => number.toString(16).padStart(digits, '0');
const digest = ({ born, count }: Process) => (born.readBigUInt64LE(8) * BigInt(2 * count + 1)) & ((1n << 64n) - 1n);
const in62 = (value: bigint): string => {
  const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  return value === 0n ? '' : in62(value / 62n) + digits[Number(value % 62n)];
};
const base32 = (value: bigint, length: number): string =>
  Array.from(
    { length },
    (_, at) => '0123456789ABCDEFGHJKMNPQRSTVWXYZ'[Number((value >> BigInt(5 * (length - 1 - at))) & 31n)],
  ).join('');
const seconds = ({ clock }: Process) => Math.floor(clock / 1000);

/** Ids that begin with what the process was born with, or follow from it. */
const kinds: [string, unknown, (process: Process) => unknown][] = [
  [
    'an ObjectId',
    'an ObjectId',
    (it) =>
      hex(seconds(it), 8) + it.born.toString('hex', 0, 5) + hex((it.born.readUInt32LE(8) + it.count) & 0xffffff, 6),
  ],
  [
    'a ULID whose random part follows from a seed',
    'a ULID',
    (it) => base32(BigInt(it.clock), 10) + base32(digest(it) | (digest(it) << 20n), 16),
  ],
  [
    'a UUIDv7 whose random part follows from a seed',
    'UUID version 7',
    (it) => {
      const random = hex(digest(it), 16);
      return `${hex(it.clock, 12).replace(/^(.{8})/, '$1-')}-7${random.slice(0, 3)}-a${random.slice(3, 6)}-${random.slice(4, 16)}`;
    },
  ],
  [
    'a UUIDv1 with a node of its own',
    'UUID version 1',
    (it) => {
      const ticks = BigInt(it.clock) * 10_000n + 122_192_928_000_000_000n + BigInt(randomInt(10_000));
      const time = hex(ticks, 15);
      return `${time.slice(7)}-${time.slice(3, 7)}-1${time.slice(0, 3)}-8${it.born.toString('hex', 8, 9)}0-${it.born.toString('hex', 0, 6)}`;
    },
  ],
  [
    'base62 of a time and a random part of 128 bits that is made once',
    expect.stringMatching(/base(58|62)/),
    (it) => in62((BigInt(it.clock) << 128n) | (BigInt(`0x${it.born.toString('hex', 0, 16)}`) + BigInt(it.count))),
  ],
  ['random numbers of a seeded generator', 'a number', (it) => Number(digest(it) & 0x7fffffffn)],
  [
    'short text of a seeded generator',
    expect.stringMatching(/base(32|58|62)/),
    (it) => in62(digest(it)).slice(0, 8).padEnd(8, 'x'),
  ],
  [
    'base64url of a seeded generator',
    'base64',
    (it) => `-_${Buffer.from(hex(digest(it), 16), 'hex').toString('base64url')}`,
  ],
  ['a number that begins anywhere', 'a number', (it) => it.born.readUInt32LE(0) * 1000 + it.count * 17],
  [
    'numbers of a block that a database gave out',
    'a number',
    (it) => it.born.readUInt16LE(0) * 10 + (it.started === NOW ? 0 : 655_360) + it.count * 17,
  ],
  ['a path with an id in it', 'base64', (it) => `/orders/?id=${it.born.toString('hex', 0, 4)}-${hex(it.count, 8)}`],
];

describe.each(kinds)('%s', (_, form, make) => {
  it('is found where the clones have it from the snapshot', () => {
    expect(find(make)).toMatchObject([{ place: '$.id of POST /make', form }]);
  });

  it('is fine where each clone makes its own', () => {
    expect(find(make, { renewed: true })).toEqual([]);
  });
});

describe('a Snowflake', () => {
  const snowflake = (workerBits: number) => (it: Process) => {
    const worker = BigInt(it.born.readUInt32LE(0) & ((1 << workerBits) - 1));
    return ((BigInt(it.clock - NOW) + (1n << 38n)) << 22n) | (worker << 12n) | BigInt(it.count & 1);
  };

  it('is found by its number of the worker, with as many processes as it takes', () => {
    const more = { clones: 8, cold: 6, type: 'text/plain' };
    for (let n = 0; n < 10; n++)
      expect(find(snowflake(10), more)).toMatchObject([{ form: 'a number as of a Snowflake', whole: false }]);
  });

  it('is read exactly from JSON, where numbers of JavaScript have fewer digits', () => {
    const ofText = find((it) => `${snowflake(10)(it)}`, { clones: 8, cold: 6 });
    expect(ofText).toHaveLength(1);
    const body = Buffer.from('{"id":7300000000000000001,"other":7300000000000000002,"text":"7300000000000000003 "}');
    const [answer] = answersOf({ born: body, count: 0, clock: NOW, started: NOW }, () => 0);
    const other = Buffer.from('{"id":7300000000000000004,"other":7300000000000000005,"text":"7300000000000000006 "}');
    expect(
      [
        ...newValues([
          { ...answer!, body },
          { ...answer!, body: other },
        ]).values(),
      ].map(({ values }) => values[0]),
    ).toEqual(['7300000000000000001', '7300000000000000002', '7300000000000000003 ']);
  });

  it('is looked at further while few bits speak for it', () => {
    const suspects = Array.from({ length: 200 }, () =>
      find(snowflake(10), { clones: 3, least: 0, type: 'text/plain' }),
    );
    expect(suspects.filter((found) => found.length > 0).length).toBeGreaterThan(195);
  });

  it('is fine where each clone has a worker of its own', () => {
    for (let n = 0; n < 50; n++)
      expect(find(snowflake(10), { renewed: true, clones: 8, cold: 6, type: 'text/plain' })).toEqual([]);
  });
});

/** What clones may have in common, or come close to each other in. */
const harmless: [string, (process: Process) => unknown][] = [
  ['a counter that begins anew with each process', (it) => (it.started === NOW ? it.count - 40 : it.count)],
  ['a counter that also counts how often the app was asked whether it is ready', (it) => it.count + randomInt(2)],
  [
    'the number of what was made here, by background work, too',
    (it) => `/readings/${it.count * 3 + (it.started === NOW ? 500 : it.born.readUInt8(0))}`,
  ],
  ['zero-padded numbers', (it) => `ORD-${String(it.count).padStart(12, '0')}`],
  ['milliseconds that an answer took', (it) => randomInt(it.started === NOW ? 5 : 60)],
  ['uptime in milliseconds', (it) => it.clock - it.started],
  ['uptime in ticks', (it) => (it.clock - it.started) * 10_000 + randomInt(10_000)],
  [
    'bytes in use',
    (it) =>
      (it.started === NOW ? 52_000_000 : 100_000_000 + it.born.readUInt16LE(0) * 100) +
      it.count * 8192 +
      randomInt(9) * 8192,
  ],
  ['the time as text', (it) => new Date(it.clock).toISOString()],
  ['the time in milliseconds', (it) => it.clock],
  ['the time in ticks', (it) => `${BigInt(it.clock) * 10_000n + 621_355_968_000_000_000n + BigInt(randomInt(10_000))}`],
  [
    'the time in an unknown unit since an unknown day',
    (it) => `${BigInt(it.clock) * 4_096n + BigInt(randomInt(4096))}`,
  ],
  ['a UUIDv4', () => crypto.randomUUID()],
  ['an instance’s name, which never changes', (it) => it.born.toString('hex', 0, 8)],
];

describe.each(harmless)('%s', (_, make) => {
  it('is no error', () => {
    for (let n = 0; n < 100; n++) expect(find(make, { clones: 3 + (n % 5), cold: 2 + (n % 5) })).toEqual([]);
  });
});

it('what an app keeps and shows again is not new', () => {
  const list: string[] = [];
  const answers = Array.from({ length: 3 }, () => {
    list.unshift(randomBytes(12).toString('hex'));
    const [answer] = answersOf({ born: Buffer.alloc(0), count: 0, clock: NOW, started: NOW }, () => 0);
    return { ...answer!, body: Buffer.from(JSON.stringify(list)) };
  });
  expect([...newValues(answers).keys()]).toEqual([]);
});
