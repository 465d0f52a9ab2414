import { z } from 'zod';
import { MAPPINGS, type ScanResult } from '../../model/findings.ts';

const count = z.int().nonnegative();

const findingSchema = z.object({
  ruleId: z.string(),
  description: z.string().describe('What the rule looks for; of known values their names.'),
  encoding: z.string().describe('How it is stored, outermost first, e.g. "gzip > utf-8".'),
  file: z.string(),
  offset: count.describe('Byte offset in the file.'),
  bytes: count.describe('Length of the stored form in bytes.'),
  count: count.describe('Sightings in this kind of memory.'),
  length: count.describe('Length of the value in characters.'),
  preview: z.string().max(2).describe('First two characters of the value.'),
  hash: z
    .string()
    .regex(/^[0-9a-f]{12}$/)
    .describe('Equal for equal values of scans with the same keyId.'),
  fix: z.string(),
  mapping: z.enum(MAPPINGS),
  unplaced: count.exactOptional().describe('How many of them may be in another kind of memory.'),
  pid: count.exactOptional(),
  process: z.string().exactOptional(),
  address: z
    .string()
    .regex(/^0x[0-9a-f]+$/)
    .exactOptional(),
  mappedFile: z.string().exactOptional(),
  age: z.enum(['live', 'garbage']).exactOptional(),
});

/** The JSON of a scan, version 1. Later versions of it may have more members. */
export const scanJsonSchema = z.object({
  version: z.literal(1),
  tool: z.object({ name: z.string(), version: z.string() }),
  verdict: z.enum(['clean', 'findings']),
  keyId: z.string().exactOptional().describe('Absent where the hashes were made with a random key.'),
  findings: z.array(findingSchema),
  allowed: z.array(
    findingSchema.extend({
      by: z.enum(['policy', 'baseline', 'gitleaksignore', 'worthless']),
      reason: z.string().exactOptional(),
      expires: z.iso.date().exactOptional(),
    }),
  ),
  notes: z.array(z.string()),
  files: count,
  bytes: count,
  extents: count,
  rules: count,
  knownSecrets: count,
  canaries: z.object({ planted: count, found: count }),
  millis: z.number().nonnegative(),
});

/** The JSON of a scan. */
export type ScanJson = z.output<typeof scanJsonSchema>;

/** The result for programs; a later scan takes it as its baseline. */
export function findingsToJson(result: ScanResult, toolVersion: string): ScanJson {
  return {
    version: 1,
    tool: { name: 'dotnet-snapshot', version: toolVersion },
    verdict: result.findings.length === 0 ? 'clean' : 'findings',
    ...result,
  };
}
