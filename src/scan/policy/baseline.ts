import { z } from 'zod';
import { SnapshotError } from '../../errors.ts';
import { readGiven } from './file.ts';
import type { ScanKey } from './key.ts';

const entrySchema = z.object({ ruleId: z.string(), hash: z.string(), mapping: z.string() });

/** What a baseline is read from: the JSON that a scan writes. Members that don't matter here are passed over. */
const baselineSchema = z.object({
  version: z.literal(1),
  keyId: z.string().exactOptional(),
  findings: z.array(entrySchema),
  allowed: z.array(entrySchema.extend({ by: z.string() })),
});

/** Findings of an earlier scan that are known and don't count. */
export interface Baseline {
  findings: readonly { ruleId: string; hash: string; mapping: string }[];
}

/**
 * The findings of an earlier scan's JSON, with those that its own baseline allowed: writing a baseline anew loses
 * nothing. Throws DS1001 where it is none, or was made with another key or none.
 */
export async function readBaseline(file: string, { id }: ScanKey): Promise<Baseline> {
  const refuse = (what: string, fix: string) =>
    new SnapshotError('DS1001', `The scan-baseline ${file} ${what}.`, { fix });
  if (id === undefined) throw refuse('needs a scan-key', 'Give scan-key: without one, the hashes of each scan differ.');
  const parsed = baselineSchema.safeParse(parse(await readGiven('scan-baseline', file)));
  if (!parsed.success)
    throw refuse('is not the JSON of a scan', 'Write it with `dotnet-snapshot scan --format json`, or take scan.json.');
  const { keyId, findings, allowed } = parsed.data;
  if (keyId !== id)
    throw refuse(
      keyId === undefined ? 'was written without a scan-key' : 'was written with another scan-key',
      'Write it anew with the scan-key that is given now.',
    );
  return { findings: [...findings, ...allowed.filter(({ by }) => by === 'baseline')] };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
