import type { AllowedFinding, Finding } from '../../model/findings.ts';
import type { IgnoredValue } from '../rules/ignored.ts';
import type { Baseline } from './baseline.ts';
import { hashOf, type ScanKey } from './key.ts';
import type { Allowance } from './schema.ts';

/** What is not to count among the findings. */
export interface Policy {
  /** Of a policy file, in its order. */
  allow: readonly Allowance[];
  /** Findings of an earlier scan with the same key. */
  baseline?: Baseline;
  /** What entries of .gitleaksignore stand for: values that are no secrets, unless the build knows better. */
  ignored?: readonly IgnoredValue[];
  /** Why values are worth nothing, by their hashes. */
  worthless?: ReadonlyMap<string, string>;
}

/** A policy that allows nothing. */
export const NO_POLICY: Policy = { allow: [] };

/** Which findings count, which don't and why, and what a user should know of the policy itself. */
export interface Judgement {
  findings: Finding[];
  allowed: AllowedFinding[];
  notes: string[];
}

/** Judges findings by a policy; `today` is YYYY-MM-DD. An allowance holds to the end of the day that it names. */
export function judge(
  found: readonly Finding[],
  policy: Policy,
  { today, key }: { today: string; key: ScanKey },
): Judgement {
  // Whichever rule tells of it: an entry may name a rule that ours stands in for.
  const ignored = new Set(policy.ignored?.map(({ sha256 }) => hashOf(sha256, key)));
  const baseline = new Set(policy.baseline?.findings.map(identityOf));
  const valid = policy.allow.filter(({ expires }) => expires >= today);
  const used = new Set<Allowance>();
  const seen = new Set<string>();
  const findings: Finding[] = [];
  const allowed: AllowedFinding[] = [];
  for (const finding of found) {
    seen.add(identityOf(finding));
    const matching = valid.filter((allowance) => allows(allowance, finding));
    for (const allowance of matching) used.add(allowance);
    const [first] = matching;
    const nothing = policy.worthless?.get(finding.hash);
    if (first) allowed.push({ ...finding, by: 'policy', reason: first.reason, expires: first.expires });
    else if (nothing !== undefined) allowed.push({ ...finding, by: 'worthless', reason: nothing });
    else if (finding.ruleId !== 'known-value' && ignored.has(finding.hash))
      allowed.push({ ...finding, by: 'gitleaksignore' });
    else if (baseline.has(identityOf(finding))) allowed.push({ ...finding, by: 'baseline' });
    else findings.push(finding);
  }
  const gone = [...baseline].filter((identity) => !seen.has(identity)).length;
  return {
    findings,
    allowed,
    notes: [
      ...policy.allow.flatMap((allowance, index) => noteOn(allowance, index, valid, used)),
      ...(gone > 0 ? [`scan-baseline: ${gone} of its ${baseline.size} findings are gone; write it anew.`] : []),
    ],
  };
}

/** Same rule, value and kind of memory: the same finding in another scan with the same key. */
function identityOf({ ruleId, hash, mapping }: Baseline['findings'][number]): string {
  return `${ruleId}\0${hash}\0${mapping}`;
}

function allows({ rule, hash, mapping, known }: Allowance, finding: Finding): boolean {
  return (
    (rule === undefined || rule === finding.ruleId) &&
    (hash === undefined || hash === finding.hash) &&
    // Where not every place is known, some may be in another mapping.
    (mapping === undefined || (mapping === finding.mapping && finding.unplaced === undefined)) &&
    (known === undefined || isKnownAs(known, finding))
  );
}

/** A value that the build knows from several places has all their names. */
function isKnownAs(name: string, { ruleId, description }: Finding): boolean {
  return ruleId === 'known-value' && (description === name || description.split(', ').includes(name));
}

function noteOn(
  allowance: Allowance,
  index: number,
  valid: readonly Allowance[],
  used: ReadonlySet<Allowance>,
): string[] {
  const what = `scan-policy: allow[${index}] (${allowance.reason})`;
  if (!valid.includes(allowance)) return [`${what} expired on ${allowance.expires} and no longer counts.`];
  return used.has(allowance) ? [] : [`${what} allows nothing that was found; remove it.`];
}
