import { CANARY_RULE } from '../canaries.ts';
import type { RuleConfig } from './config.ts';

/**
 * Finds the canaries that prove the scan sees (canaries.ts). Every rule set has it, and nothing switches it off or
 * allows what it finds.
 */
export const CANARY_RULE_CONFIG: RuleConfig = {
  id: CANARY_RULE,
  description: 'Canary that this build planted to prove that the scan sees',
  origin: 'dotnet-snapshot',
  regex: '(dscanary\\{[0-9a-f]{32}\\})',
  secretGroup: 1,
  entropy: 0,
  keywords: ['dscanary'],
  tags: [],
  allowlists: [],
  required: [],
  skipReport: false,
  disabled: false,
  isLocal: true,
};
