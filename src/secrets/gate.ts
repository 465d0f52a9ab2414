import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SnapshotError } from '../errors.ts';
import type { Run } from '../exec.ts';
import type { ScanInputs } from '../inputs.ts';
import type { Log } from '../log.ts';
import type { KnownSecret, Report, ScanResult, Snapshot } from '../model/index.ts';
import { CANARY_ENCODINGS } from '../scan/canaries.ts';
import { hintsIn, scanSnapshot } from '../scan/index.ts';
import {
  type AtBuild,
  type Policy,
  readAllowances,
  readBaseline,
  type ScanKey,
  scanKey,
} from '../scan/policy/index.ts';
import { describeAllowance, describeSecret, findingsToText, valuesIn } from '../scan/present/index.ts';
import type { RuleSetConfig } from '../scan/rules/config.ts';
import { isOfTraffic } from '../scan/rules/fixes.ts';
import { allowingPlaceholders, withoutFakes } from './placeholders.ts';
import type { Redactor } from './redact.ts';
import { readScanRules } from './rules.ts';
import { forgottenKeys, worthless } from './worthless.ts';

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
  /** What the build does about secrets among variables. */
  atBuild?: AtBuild;
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

/** With the first. */
const MOST_CHECKPOINTS = 3;

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
   * Searches the snapshot and writes the verdict into its manifest. Where all that counts may be there by chance, and the
   * app still runs, `again` takes another checkpoint of it in place of this one, at most {@link MOST_CHECKPOINTS} in all:
   * a buffer that is still in use at one moment is not at the next. Throws DS4001 where the last one holds a secret that
   * counts, unless the mode is `warn`, DS4003 where it has no canaries. Returns what the report says of it.
   */
  async check(snapshot: Snapshot, onScan: OnScan, again?: () => Promise<Snapshot>): Promise<Report['scan']> {
    const { log } = this.#tools;
    const { mode } = this.#settings;
    if (mode === 'off') {
      log.warning('NOBODY HAS LOOKED FOR SECRETS in this snapshot: scan is off. Treat it as secret itself.');
      snapshot.manifest.scan = { verdict: 'off', bytes: 0, rules: 0, knownSecrets: 0 };
      return { verdict: 'off', findings: 0, allowed: 0, bytes: 0, extents: 0, rules: 0, knownSecrets: 0, millis: 0 };
    }
    let scan = await this.#search(snapshot, onScan);
    for (let taken = 1; again && taken < MOST_CHECKPOINTS && isLeftOver(scan.findings); taken++) {
      log.info(
        `${valuesIn(scan.findings)} value(s) of the warmup were left in the app's memory: checkpoint ${taken + 1} of at most ${MOST_CHECKPOINTS} is taken`,
      );
      const next = await again().catch((error: unknown) => {
        // The hook ran before, for this snapshot, which is as it was; what it holds is then the better thing to tell.
        if (!(error instanceof SnapshotError) || error.code !== 'DS3007') throw error;
        log.warning(`No other checkpoint is taken: ${error.message}`);
      });
      if (next === undefined) break;
      Object.assign(snapshot, next);
      scan = await this.#search(snapshot, onScan);
    }
    const found = valuesIn(scan.findings);
    if (found > 0 && mode === 'fail')
      throw new SnapshotError('DS4001', `The snapshot holds ${found} secret(s); nothing of it is kept.`, {
        detail: findingsToText(scan),
        fix: fixFor(scan),
      });
    if (found > 0)
      log.warning(`THE SNAPSHOT HOLDS ${found} SECRET(S), and scan is set to warn.\n${findingsToText(scan)}`);
    for (const line of worthlessIn(scan)) log.info(line);
    const verdict = found > 0 ? 'findings' : 'clean';
    const { bytes, extents, canaries, millis } = scan;
    const counts = { findings: scan.findings.length, allowed: scan.allowed.length };
    const searchedFor = { rules: scan.rules, knownSecrets: scan.knownSecrets };
    snapshot.manifest.scan = { verdict, ...counts, ...searchedFor, bytes };
    return { verdict, ...counts, bytes, extents, ...searchedFor, canaries, millis: Math.round(millis) };
  }

  /** One search of a snapshot, with its notes told and its result handed over. */
  async #search({ directory, manifest, forgotten }: Snapshot, onScan: OnScan): Promise<ScanResult> {
    const { log } = this.#tools;
    const { key, policy, rules, atBuild } = this.#settings;
    if (!hasCanaries(manifest))
      throw new SnapshotError('DS4003', 'The manifest does not name a planted value in each encoding.');
    // What the app was warmed with in place of a secret is none.
    const fakes = manifest.placeholders ?? [];
    if (forgotten) manifest.forgottenKeys = await forgottenKeys(directory, forgotten.keys);
    const text = JSON.stringify(manifest);
    const hints = hintsIn(text);
    const scanned = await scanSnapshot(directory, {
      ...{
        rules: allowingPlaceholders(rules, fakes),
        knownSecrets: withoutFakes(this.#known, fakes),
        policy,
        worthless: worthless(manifest.forgottenKeys ?? [], forgotten?.tokens ?? [], this.#known),
        key,
        log,
        ...(atBuild && { atBuild }),
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
    return scan;
  }
}

/** Whether all that counts came with requests and answers, or is a key of the app that was forgotten, or garbage. */
function isLeftOver(findings: ScanResult['findings']): boolean {
  const names = (description: string) => description.split(', ');
  return (
    findings.length > 0 &&
    findings.every(
      ({ ruleId, description, age }) =>
        age === 'garbage' ||
        (ruleId === 'known-value'
          ? names(description).every((name) => /^(?:traffic|answer to) "/.test(name))
          : isOfTraffic(ruleId) || ruleId === 'data-protection-key'),
    )
  );
}

/** The one fix of all findings, or where they are. */
function fixFor({ findings }: ScanResult): string {
  const fixes = new Set(findings.map(({ fix }) => fix));
  return fixes.size === 1 ? [...fixes][0]! : 'Do for each value what is told beneath it.';
}

/** One line for each value that is there and worth nothing. */
function worthlessIn({ allowed }: ScanResult): string[] {
  const lines = allowed
    .filter(({ by }) => by === 'worthless')
    .map((finding) => `in the snapshot, and ${describeAllowance(finding)}: ${describeSecret(finding)}`);
  return [...new Set(lines)];
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
