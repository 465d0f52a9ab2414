import { z } from 'zod';
import { MAPPINGS } from '../../model/findings.ts';

const TEXT = 'text on one line';
const HASH = 'a hash as findings show it, 12 hex digits in quotes';
const DATE = 'a date such as 2027-01-31';
const MAPPING = `one of ${MAPPINGS.join(', ')}`;

/** What an allowance chooses findings by. */
const SELECTORS = ['rule', 'hash', 'mapping', 'known'] as const;

const line = z
  .string(TEXT)
  .min(1, TEXT)
  .max(500, 'at most 500 characters')
  .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, TEXT);

const allowanceSchema = z
  .strictObject(
    {
      rule: line.optional().describe('Rule id, as findings show it.'),
      hash: z
        .string(HASH)
        .regex(/^[0-9a-f]{12}$/, HASH)
        .optional()
        .describe('Hash of the value, as findings show it. Needs a scan-key.'),
      mapping: z.enum(MAPPINGS, MAPPING).optional().describe('Kind of memory that the value lies in.'),
      known: line.optional().describe('Name of a known value, such as environment DB_PASSWORD.'),
      reason: line.describe('Why the finding is no danger; shown in reports.'),
      expires: z.iso.date(DATE).describe('Last day on which this holds.'),
    },
    'a map of rule, hash, mapping, known, reason and expires',
  )
  .refine(
    (allowance) => SELECTORS.some((name) => allowance[name] !== undefined),
    'at least one of rule, hash, mapping and known',
  );

const policySchema = z
  .strictObject({
    version: z.literal(1, '1, the only version there is').describe('Version of the format.'),
    allow: z
      .array(allowanceSchema, 'a list of allowances')
      .max(1000, 'at most 1000 allowances')
      .describe('Findings that do not count. All parts of an entry must agree with the finding.'),
  })
  .describe('What the secrets gate of dotnet-snapshot is to let pass.');

/** One entry of a policy file. */
export type Allowance = z.output<typeof allowanceSchema>;

export { policySchema };

/** Keys that are known at a place in the file. */
export function policyKeysAt(path: readonly PropertyKey[]): string[] {
  return Object.keys(path.length === 0 ? policySchema.shape : allowanceSchema.shape);
}

/** The JSON Schema of policy files, for editors; schema/scan-policy.schema.json is its committed copy. */
export function policyJsonSchema(): Record<string, unknown> {
  return {
    title: 'dotnet-snapshot scan policy',
    ...z.toJSONSchema(policySchema, {
      io: 'input',
      override: ({ zodSchema, jsonSchema }) => {
        // What `refine` checks, said as JSON Schema can say it.
        if (zodSchema === allowanceSchema) jsonSchema.anyOf = SELECTORS.map((name) => ({ required: [name] }));
      },
    }),
  };
}
