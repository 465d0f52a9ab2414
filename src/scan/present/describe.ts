import type { AllowedFinding, Finding } from '../../model/findings.ts';

/** What was found, in the order of danger: known values first, then what is still in use, then the most copies. */
export function byDanger<F extends Finding>(findings: readonly F[]): F[] {
  const rank = ({ ruleId, age }: Finding) => (ruleId === 'known-value' ? 0 : 2) + (age === 'garbage' ? 1 : 0);
  return findings.toSorted((a, b) => rank(a) - rank(b) || b.count - a.count);
}

/** The findings of each value by themselves, in their order. */
export function byValue<F extends Finding>(findings: readonly F[]): F[][] {
  const groups = new Map<string, F[]>();
  for (const finding of findings) {
    const id = `${finding.ruleId}\0${finding.hash}`;
    groups.set(id, [...(groups.get(id) ?? []), finding]);
  }
  return [...groups.values()];
}

/** How many different values were found; one may be told by several rules, encodings and places. */
export function valuesIn(findings: readonly Finding[]): number {
  return new Set(findings.map(({ hash }) => hash)).size;
}

/** `known secret "environment DB_PASSWORD"`, or `JSON Web Token (jwt)`. */
export function describeSecret({ ruleId, description }: Finding): string {
  return ruleId === 'known-value' ? `known secret "${description}"` : `${description} (${ruleId})`;
}

/** What may be shown of a value: `24 characters, begins with "Qz", hash 0123456789ab`. */
export function describeValue({ length, preview, hash }: Finding): string {
  return `${plural(length, 'character')}, begins with ${JSON.stringify(preview)}, hash ${hash}`;
}

/** `managed heap (garbage) of dotnet (pid 64), UTF-16LE, 3 times`. */
export function describeSighting({ mapping, mappedFile, age, process, pid, encoding, count }: Finding): string {
  const kind = mapping === 'record' ? 'a file of the snapshot' : mapping;
  const file = mappedFile === undefined ? '' : ` ${mappedFile}`;
  const of = pid === undefined ? '' : ` of ${process === undefined ? `pid ${pid}` : `${process} (pid ${pid})`}`;
  return `${kind}${file}${age === undefined ? '' : ` (${age})`}${of}, ${upper(encoding)}, ${times(count)}`;
}

/** `pages-1.img+0x1f3a0 (0x7f1200001000)`. */
export function describePlace({ file, offset, address }: Finding): string {
  return `${file}+0x${offset.toString(16)}${address === undefined ? '' : ` (${address})`}`;
}

/** All of it in one sentence, without the place in the file. */
export function describeFinding(finding: Finding): string {
  return `${describeSecret(finding)}: ${describeSighting(finding)}; ${describeValue(finding)}`;
}

/** Why an allowed finding does not count. */
export function describeAllowance({ by, reason, expires }: AllowedFinding): string {
  if (by === 'policy') return `allowed until ${expires}: ${reason}`;
  if (by === 'worthless') return `worth nothing: ${reason}`;
  return by === 'baseline' ? 'in the baseline' : 'accepted by .gitleaksignore';
}

/** `1 secret`, `2 secrets`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Character sets are written in capitals, decoders as they are: `gzip > UTF-8`. */
function upper(encoding: string): string {
  return encoding.replaceAll(/\butf-(?:8|16le)\b/g, (name) => name.toUpperCase());
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
