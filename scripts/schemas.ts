// Writes schema/*.schema.json from the schemas that the code itself enforces: `npx node scripts/schemas.ts`.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { manifestSchema } from '../src/model/manifest.ts';
import { policyJsonSchema } from '../src/scan/policy/schema.ts';
import { scanJsonSchema } from '../src/scan/present/json.ts';
import { reportSchema } from '../src/store/report-schema.ts';
import { trafficJsonSchema } from '../src/traffic/schema.ts';

/** Every committed JSON Schema by its file; a unit test holds files and code equal. */
export const SCHEMAS: Record<string, Record<string, unknown>> = {
  'schema/manifest.schema.json': {
    title: 'dotnet-snapshot manifest',
    // `input`: what a reader accepts. Later versions may add members, and readers pass over them.
    ...z.toJSONSchema(manifestSchema, { io: 'input' }),
  },
  'schema/report.schema.json': {
    title: 'dotnet-snapshot report',
    ...z.toJSONSchema(reportSchema, { io: 'input' }),
  },
  'schema/scan-policy.schema.json': policyJsonSchema(),
  'schema/scan.schema.json': {
    title: 'dotnet-snapshot scan',
    ...z.toJSONSchema(scanJsonSchema, { io: 'input' }),
  },
  'schema/traffic.schema.json': trafficJsonSchema(),
};

if (process.argv[1] === import.meta.filename)
  for (const [file, schema] of Object.entries(SCHEMAS))
    writeFileSync(join(import.meta.dirname, '..', file), `${JSON.stringify(schema, null, 2)}\n`);
