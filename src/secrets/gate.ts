import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SnapshotError } from '../errors.ts';
import type { Run } from '../exec.ts';
import type { ScanInputs } from '../inputs.ts';
import type { Log } from '../log.ts';
import type { KnownSecret, Report, ScanResult, Snapshot } from '../model/index.ts';
import { CANARY_ENCODINGS } from '../scan/canaries.ts';
import { hintsIn, scanSnapshot } from '../scan/index.ts';
import { type Policy, readAllowances, readBaseline, type ScanKey, scanKey } from '../scan/policy/index.ts';
import { findingsToText, valuesIn } from '../scan/present/index.ts';
import type { RuleSetConfig } from '../scan/rules/config.ts';
import { allowingPlaceholders, withoutFakes } from './placeholders.ts';
import type { Redactor } from './redact.ts';
import { readScanRules } from './rules.ts';

/** What the gate works with. */
export interface GateTools {
  run: Run;
  log: Log;
  redactor: Redactor;
  environment: Record<string, string>;
}

/** Called with the result of a scan before it blocks, so that a door can store the findings. */
export type OnScan = (result: ScanResult) => Promise<void>;

/** What the gate was told, read and checked. */
export interface GateSettings {
  mode: ScanInputs['mode'];
  key: ScanKey;
  policy: Policy;
  rules: RuleSetConfig;
}

/** Reads what the gate is told by. Throws DS1001; called before the work begins, as a wrong file must not cost a build. */
export async function readGateSettings(
  { mode, key: given, policyFile, baselineFile, configFile }: ScanInputs,
  tools: GateTools,
): Promise<GateSettings> {
  const { environment, redactor } = tools;
  const text = given === undefined ? undefined : await resolveKey(given, environment);
  if (text !== undefined) redactor.add([{ name: 'scan-key', value: text, explicit: true }]);
  const key = scanKey(text);
  const allow = policyFile === undefined ? [] : await readAllowances(policyFile, key.id !== undefined);
  const baseline = baselineFile === undefined ? undefined : await readBaseline(baselineFile, key);
  const { rules, ignored } = await readScanRules(configFile, tools);
  return { mode, key, rules, policy: { allow, ignored, ...(baseline && { baseline }) } };
}

/** Stands before every way out: what the build knows to be secret is gathered, then the snapshot is searched for it. */
export class SecretsGate {
  readonly #settings: GateSettings;
  readonly #tools: GateTools;
  readonly #known: KnownSecret[] = [];

  constructor(settings: GateSettings, tools: GateTools) {
    this.#settings = settings;
    this.#tools = tools;
  }

  /** From here on these are searched for in a snapshot, and masked in what is printed or written. */
  know(secrets: readonly KnownSecret[]): void {
    this.#known.push(...secrets);
    this.#tools.redactor.add(secrets);
  }

  /**
   * Searches the snapshot and writes the verdict into its manifest. Throws DS4001 where it holds a secret that counts,
   * unless the mode is `warn`, DS4003 where it has no canaries. Returns what the report says of it.
   */
  async check({ directory, manifest }: Snapshot, onScan: OnScan): Promise<Report['scan']> {
    const { log } = this.#tools;
    const { mode, key, policy, rules } = this.#settings;
    if (mode === 'off') {
      log.warning('NOBODY HAS LOOKED FOR SECRETS in this snapshot: scan is off. Treat it as secret itself.');
      manifest.scan = { verdict: 'off', bytes: 0, rules: 0, knownSecrets: 0 };
      return { verdict: 'off', findings: 0, allowed: 0, bytes: 0, extents: 0, rules: 0, knownSecrets: 0, millis: 0 };
    }
    if (!hasCanaries(manifest))
      throw new SnapshotError('DS4003', 'The manifest does not name a planted value in each encoding.');
    // What the app was warmed with in place of a secret is none.
    const fakes = manifest.placeholders ?? [];
    const text = JSON.stringify(manifest);
    const hints = hintsIn(text);
    const scanned = await scanSnapshot(directory, {
      ...{
        rules: allowingPlaceholders(rules, fakes),
        knownSecrets: withoutFakes(this.#known, fakes),
        policy,
        key,
        log,
      },
      // What the launcher is told leaves with the snapshot too.
      also: { 'manifest.json': text },
      ...(hints && { hints }),
      // The run removes it, however it ends.
      temporaryFolder: dirname(directory),
    });
    // This scan's own, and the app's.
    if (scanned.canaries.planted < 2 * CANARY_ENCODINGS.length)
      throw new SnapshotError('DS4003', 'The scan did not look for the values that were planted in the app.');
    const scan = this.#tools.redactor.data(scanned);
    for (const note of scan.notes) log.warning(note);
    await onScan(scan);
    const found = valuesIn(scan.findings);
    if (found > 0 && mode === 'fail')
      throw new SnapshotError('DS4001', `The snapshot holds ${found} secret(s); nothing of it is kept.`, {
        detail: findingsToText(scan),
      });
    if (found > 0)
      log.warning(`THE SNAPSHOT HOLDS ${found} SECRET(S), and scan is set to warn.\n${findingsToText(scan)}`);
    const verdict = found > 0 ? 'findings' : 'clean';
    const { bytes, extents, canaries, millis } = scan;
    const counts = { findings: scan.findings.length, allowed: scan.allowed.length };
    const searchedFor = { rules: scan.rules, knownSecrets: scan.knownSecrets };
    manifest.scan = { verdict, ...counts, ...searchedFor, bytes };
    return { verdict, ...counts, bytes, extents, ...searchedFor, canaries, millis: Math.round(millis) };
  }
}

/** Whether a scan can prove itself by the snapshot: a value was planted in the app's memory in each encoding. */
export function hasCanaries({ canaries = [] }: Snapshot['manifest']): boolean {
  return CANARY_ENCODINGS.every((encoding) => canaries.some((planted) => planted.encoding === encoding));
}

/** A key may be given by the name of what holds it, so that it is on no command line. Throws DS1001. */
async function resolveKey(given: string, environment: Record<string, string>): Promise<string> {
  const [, where, name] = /^(env|file):(.+)$/.exec(given) ?? [];
  if (where === undefined) return given;
  const text = where === 'env' ? environment[name!] : await readFile(name!, 'utf8').catch((): undefined => undefined);
  if (text === undefined)
    throw new SnapshotError('DS1001', `The scan-key is to come from ${where}:${name}, and there is none.`);
  return text.trim();
}
