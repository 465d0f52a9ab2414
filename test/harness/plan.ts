import xxhash from 'xxhash-wasm';

/** Offsets in the header of a restore plan, in bytes: runtime/restorer/plan.h. */
export const AT = {
  version: 8,
  hash: 24,
  machine: 32,
  snapshot: 48,
  cpu: 56,
  memory: 80,
  hotBytes: 104,
  vdsoHash: 240,
};

/** Sections of a restore plan by their place in the header: enum section_name. */
export const SECTION = { threads: 13, prefetch: 20 };

const SECTIONS_AT = 360;

/** How many entries a section of a plan has. */
export function countOf(plan: Buffer, section: number): number {
  return plan.readUInt32LE(SECTIONS_AT + 8 * section + 4);
}

/** A changed plan whose digest is right, so that the launcher looks at the change. */
export async function changedPlan(plan: Buffer, change: (plan: Buffer) => void): Promise<Buffer> {
  const changed = Buffer.from(plan);
  change(changed);
  changed.writeBigUInt64LE((await xxhash()).h64Raw(changed.subarray(AT.machine)), AT.hash);
  return changed;
}
