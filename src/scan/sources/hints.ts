import { CANARY_ENCODINGS, type PlantedCanary } from '../canaries.ts';
import type { Range } from './areas.ts';

/** What the build wrote down of the runtime in the process, see src/model/manifest.ts. */
export interface RuntimeHints {
  /** PID in the snapshot; where it isn't told, nothing is but the canaries. */
  pid?: number;
  gcHeap?: Range[];
  reservedMemory?: Range[];
  /** Type handle (MethodTable address) of System.String. */
  stringType?: bigint;
  /** Canaries in the process's memory. */
  planted?: PlantedCanary[];
}

/** Larger than any manifest. */
export const MOST_MANIFEST_BYTES = 16 * 1024 * 1024;

/** The hints in the text of a manifest.json; undefined where it holds none. They are a help, so damage is no error. */
export function hintsIn(manifest: string): RuntimeHints | undefined {
  let content: unknown;
  try {
    content = JSON.parse(manifest);
  } catch {
    return undefined;
  }
  const runtime = member(content, 'runtime');
  const pid = member(member(content, 'process'), 'pid');
  const planted = canariesIn(member(content, 'canaries'));
  if (runtime === undefined || typeof pid !== 'number') return planted && { planted };
  const gcHeap = rangesIn(member(runtime, 'gcHeap'));
  const reservedMemory = rangesIn(member(runtime, 'reservedMemory'));
  const stringType = hexIn(member(runtime, 'stringType'));
  return {
    pid,
    ...(gcHeap && { gcHeap }),
    ...(reservedMemory && { reservedMemory }),
    ...(stringType !== undefined && { stringType }),
    ...(planted && { planted }),
  };
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** Those that this version can look for: a later one may plant others. */
function canariesIn(value: unknown): PlantedCanary[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((canary) => {
    const encoding = CANARY_ENCODINGS.find((known) => known === member(canary, 'encoding'));
    const sha256 = member(canary, 'sha256');
    return encoding !== undefined && typeof sha256 === 'string' ? [{ encoding, sha256 }] : [];
  });
}

/** `START-END,…` in hexadecimal. */
function rangesIn(value: unknown): Range[] | undefined {
  if (typeof value !== 'string') return undefined;
  const ranges = value.split(',').flatMap((range) => {
    const [, start, end] = /^(?:0x)?([0-9a-f]{1,16})-(?:0x)?([0-9a-f]{1,16})$/i.exec(range.trim()) ?? [];
    return start && end ? [{ start: BigInt(`0x${start}`), end: BigInt(`0x${end}`) }] : [];
  });
  return ranges.length > 0 ? ranges : undefined;
}

function hexIn(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^(0x)?[0-9a-f]{1,16}$/i.test(value)
    ? BigInt(`0x${value.replace(/^0x/i, '')}`)
    : undefined;
}
