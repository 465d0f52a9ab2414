import { join } from 'node:path';
import { type Log, silentLog } from '../../../src/log.ts';
import type { KnownSecret, ScanResult } from '../../../src/model/index.ts';
import { PROJECT_ROOT } from '../../../src/root.ts';
import { scanSnapshot } from '../../../src/scan/index.ts';
import { NO_POLICY } from '../../../src/scan/policy/judge.ts';
import type { RuleSetConfig } from '../../../src/scan/rules/config.ts';
import { loadRules } from '../../../src/scan/rules/load.ts';

let rules: RuleSetConfig | undefined;

/** Scans with the rules that the product has and without a policy: whatever is found is told. */
export function scan(
  path: string,
  knownSecrets: KnownSecret[] = [],
  { log = silentLog, ...options }: { log?: Log; threads?: number } = {},
): Promise<ScanResult> {
  rules ??= loadRules({ rulesDirectory: join(PROJECT_ROOT, 'rules') });
  return scanSnapshot(path, { rules, knownSecrets, policy: NO_POLICY, log, ...options });
}
