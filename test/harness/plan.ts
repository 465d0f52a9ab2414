import xxhash from 'xxhash-wasm';

/** Offsets in the header of a restore plan, in bytes: runtime/restorer/plan.h. */
export const AT = { version: 8, hash: 24, machine: 32, snapshot: 48, cpu: 56, memory: 80, vdsoHash: 240 };

/** A changed plan whose digest is right, so that the launcher looks at the change. */
export async function changedPlan(plan: Buffer, change: (plan: Buffer) => void): Promise<Buffer> {
  const changed = Buffer.from(plan);
  change(changed);
  changed.writeBigUInt64LE((await xxhash()).h64Raw(changed.subarray(AT.machine)), AT.hash);
  return changed;
}
