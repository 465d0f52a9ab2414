import type { Finding, ScanResult } from '../../model/findings.ts';
import {
  byDanger,
  byValue,
  describeAllowance,
  describePlace,
  describeSecret,
  describeSighting,
  describeValue,
  plural,
  valuesIn,
} from './describe.ts';

/** Values listed in full, and places of each; a snapshot with more has one cause, and the first few show it. */
const MAX_VALUES = 40;
const MAX_PLACES = 8;

/** The result for people: a line of summary, then each value with its places and what to do about it. No values. */
export function findingsToText(result: ScanResult): string {
  const { findings, allowed, notes } = result;
  const found = findings.length === 0 ? 'No secrets found' : `${plural(valuesIn(findings), 'secret')} found`;
  const lines = [`${found} (${seen(result)})${findings.length === 0 ? '.' : ':'}`];
  const groups = byValue(byDanger(findings));
  for (const group of groups.slice(0, MAX_VALUES)) lines.push(...listed(group));
  if (groups.length > MAX_VALUES) lines.push(`  and ${groups.length - MAX_VALUES} more`);
  const allowedGroups = byValue(allowed);
  if (allowed.length > 0)
    lines.push(
      `${plural(valuesIn(allowed), 'secret')} found that ${allowedGroups.length === 1 ? 'is' : 'are'} allowed:`,
    );
  for (const [first] of allowedGroups.slice(0, MAX_VALUES))
    lines.push(`  ${describeSecret(first!)}, hash ${first!.hash}: ${describeAllowance(first!)}`);
  if (allowedGroups.length > MAX_VALUES) lines.push(`  and ${allowedGroups.length - MAX_VALUES} more`);
  lines.push(...notes.map((note) => `note: ${note}`));
  return `${lines.join('\n')}\n`;
}

/** What the scan looked at: `12 files, 20.0 MB, 266 memory areas, 41 rules, 3 known values, 9 of 9 canaries, 0.1 s`. */
function seen({ files, bytes, extents, rules, knownSecrets, canaries, millis }: ScanResult): string {
  return [
    plural(files, 'file'),
    `${(bytes / 1e6).toFixed(1)} MB`,
    plural(extents, 'memory area'),
    plural(rules, 'rule'),
    plural(knownSecrets, 'known value'),
    `${canaries.found} of ${plural(canaries.planted, 'canary').replace('canarys', 'canaries')}`,
    `${(millis / 1000).toFixed(1)} s`,
  ].join(', ');
}

function listed(group: readonly Finding[]): string[] {
  const [first] = group;
  const lines = [`  ${describeSecret(first!)}, ${describeValue(first!)}`];
  for (const finding of group.slice(0, MAX_PLACES))
    lines.push(`    ${describeSighting(finding)}: ${describePlace(finding)}`);
  if (group.length > MAX_PLACES) lines.push(`    and ${group.length - MAX_PLACES} more`);
  for (const fix of new Set(group.slice(0, MAX_PLACES).map((finding) => finding.fix))) lines.push(`    fix: ${fix}`);
  return lines;
}
