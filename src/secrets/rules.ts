import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Run } from '../exec.ts';
import type { Log } from '../log.ts';
import { PROJECT_ROOT } from '../root.ts';
import type { RuleSetConfig } from '../scan/rules/config.ts';
import { type IgnoredValue, readIgnored } from '../scan/rules/ignored.ts';
import { loadRules } from '../scan/rules/load.ts';
import { RuleSet } from '../scan/rules/ruleset.ts';

/** The rules that come with this project. */
export const RULES_DIRECTORY = join(PROJECT_ROOT, 'rules');

/** What gitleaks reads in a repository, where nothing else is said. */
const CONFIG = '.gitleaks.toml';
const IGNORED = '.gitleaksignore';

/** The rules of a scan, and the values that a repository has accepted in its sources. */
export interface ScanRules {
  rules: RuleSetConfig;
  ignored: IgnoredValue[];
}

/**
 * Our rules, changed by a repository's gitleaks configuration: the file that is named, or `.gitleaks.toml` in the
 * working folder where there is one; `.gitleaksignore` lies beside it. Throws DS1001 where one of them is wrong.
 */
export async function readScanRules(
  configFile: string | undefined,
  { run, log }: { run: Run; log: Log },
): Promise<ScanRules> {
  const config = configFile ?? (existsSync(CONFIG) ? CONFIG : undefined);
  const rules = loadRules({
    rulesDirectory: RULES_DIRECTORY,
    ...(config !== undefined && { repositoryConfig: config }),
  });
  if (config !== undefined) log.info(`rules of ${config} count beside our own`);
  for (const warning of rules.warnings) log.warning(warning);
  const root = dirname(config ?? CONFIG);
  const ignoreFile = join(root, IGNORED);
  if (!existsSync(ignoreFile)) return { rules, ignored: [] };
  const { values, warnings } = await readIgnored(ignoreFile, root, new RuleSet(rules), run);
  for (const warning of warnings) log.warning(warning);
  return { rules, ignored: values };
}
