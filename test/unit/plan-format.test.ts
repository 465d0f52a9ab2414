import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { DESCRIPTOR, FRAME_STACK, LOCK, LOW_END, PLAN_BASE, PLAN_FLAG, PlanFile, STEP } from '../../src/plan/format.ts';

const header = readFileSync('runtime/restorer/plan.h', 'utf8').replace(/\/\*.*?\*\//gs, '');

/** The members of an enumeration in plan.h, without what they begin with. */
function members(name: string): string[] {
  const [, body = ''] = new RegExp(`enum ${name} \\{(.*?)\\}`, 's').exec(header) ?? [];
  return body.split(',').map((member) => member.trim());
}

test('plan.h counts descriptors, steps and locks as the compiler does', () => {
  const numbered = (prefix: string, numbers: Record<string, number>) =>
    Object.entries(numbers)
      .sort(([, a], [, b]) => a - b)
      .map(([name]) => `${prefix}${name}`);
  expect([...numbered('D_', DESCRIPTOR), 'D_KINDS']).toEqual(members('descriptor_kind'));
  expect([...numbered('S_', STEP), 'S_KINDS']).toEqual(members('step_kind'));
  expect(numbered('LOCK_', LOCK)).toEqual(members('lock_kind'));
  expect(Object.entries(PLAN_FLAG).map(([name, value]) => `${name} = ${value}`)).toEqual(members('plan_flags'));
});

test('plan.h has the same fixed places', () => {
  const defined = (name: string) => Number(new RegExp(`${name} (0x[0-9a-f]+)UL`).exec(header)?.[1]);
  expect([PLAN_BASE, LOW_END]).toEqual([defined('PLAN_BASE'), defined('LOW_END')]);
  expect(Number(/FRAME_STACK = (\d+)/.exec(header)?.[1])).toBe(FRAME_STACK);
});

test('each section stands where the header tells, in the order of plan.h', async () => {
  const plan = new PlanFile();
  const sections = members('section_name').slice(0, -1);
  for (const [index, name] of sections.entries())
    if (name !== 'TEXT')
      plan.entries(name as Parameters<PlanFile['entries']>[0], [index], (writer, value) => writer.u64(value as number));
  const text = plan.text('same');
  expect(plan.text('same')).toBe(text);
  expect(plan.struct(Buffer.from([1, 2, 3])) % 8).toBe(0);
  const file = await plan.finish({
    ...{ machine: 62, flags: 0, pid: 1, answerMs: 1, snapshot: 's', isa: 'i', cpu: '', program: 'p', folder: 'f' },
    ...{
      umask: 0,
      descriptorsEnd: 0,
      membarriers: 0,
      memory: 0,
      pagesBytes: 0,
      pagesHash: 0n,
      hotBytes: 0,
      hotHash: 0n,
    },
    ...{ fillOffset: 0, mm: Array(11).fill(0n), vdsoStart: 0, vdsoBytes: 0, vvarBytes: 0, vdsoHash: 0n, vdsoOffset: 0 },
    ...{ timers: Array.from({ length: 3 }, () => [0n, 0n, 0n, 0n]), frameStride: 1234, deathSignal: 9 },
  });
  // Behind what sizeof(struct plan) counts before it: 21 members of 8 bytes, mm, the vdso, timers, the stride.
  const table = 360;
  expect([file.readUInt32LE(table - 8), file.readUInt32LE(table - 4)]).toEqual([1234, 9]);
  for (const [index, name] of sections.entries()) {
    const [offset, count] = [file.readUInt32LE(table + 8 * index), file.readUInt32LE(table + 8 * index + 4)];
    expect(offset % 8).toBe(0);
    if (name === 'TEXT') expect([file[offset], file[offset + count - 1]]).toEqual([0, 0]);
    else expect([count, Number(file.readBigUInt64LE(offset))]).toEqual([1, index]);
  }
  expect(file.readUInt32LE(table + 8 * sections.indexOf('FRAMES'))).toBe(4096);
});
