import type { Finding, ScanResult } from '../model/findings.ts';
import { KNOWN_RULES, RULES } from './rules.ts';

/** Findings listed in full; a folder with more has one cause, and the first few show it. */
const MAX_LISTED = 100;

const fixes = new Map([...KNOWN_RULES, ...RULES].map((rule) => [rule.id, rule.fix]));

/** The result for people: a line of summary, one line a finding, and what to do about each kind. No values. */
export function findingsToText(result: ScanResult): string {
  const { findings } = result;
  const seen = `${result.files} files, ${(result.bytes / 1e6).toFixed(1)} MB, ${result.extents} memory areas, ${result.rules} rules, ${plural(result.knownSecrets, 'known value')}, ${(result.millis / 1000).toFixed(1)} s`;
  if (findings.length === 0) return `No secrets found (${seen}).\n`;
  const lines = [`${plural(findings.length, 'secret')} found (${seen}):`];
  for (const finding of findings.slice(0, MAX_LISTED)) lines.push(`  ${placeOf(finding)}: ${describe(finding)}`);
  if (findings.length > MAX_LISTED) lines.push(`  and ${findings.length - MAX_LISTED} more`);
  for (const fix of new Set(findings.map((finding) => fixes.get(finding.ruleId)))) lines.push(`  fix: ${fix}`);
  return `${lines.join('\n')}\n`;
}

/** What a finding is, without its place: `known secret "environment DB_PASSWORD", UTF-16LE, 24 characters, 3 times`. */
export function describe({ ruleId, description, encoding, length, count }: Finding): string {
  const what =
    ruleId === 'known-value'
      ? `known secret "${description}"`
      : ruleId === 'known-value-base64'
        ? `known secret "${description}" in base64`
        : `${description} (${ruleId})`;
  const times = count === 1 ? 'once' : `${count} times`;
  return `${what}, ${encoding.toUpperCase()}, ${length} characters, ${times}`;
}

function placeOf({ file, offset, pid, address }: Finding): string {
  const inProcess = pid === undefined || address === undefined ? '' : ` (pid ${pid}, ${address})`;
  return `${file}+0x${offset.toString(16)}${inProcess}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
