// Tells whether every rule of a file in gitleaks' format can be applied here: `node check-rules.ts FILE`.
import { readFileSync } from 'node:fs';
import { toSnapshotError } from '../../src/errors.ts';
import { readRuleFile } from '../../src/scan/rules/translate.ts';

const path = process.argv[2] ?? '';
try {
  const { rules, warnings } = readRuleFile(readFileSync(path, 'utf8'), path, 'repository');
  for (const warning of warnings) console.error(warning);
  console.log(`${rules.length} rules can be applied.`);
} catch (error) {
  console.error(toSnapshotError(error).format());
  process.exitCode = 1;
}
