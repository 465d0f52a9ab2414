import type { Log } from '../../log.ts';
import type { KnownSecret } from '../../model/findings.ts';
import { printable } from '../printable.ts';
import { trivialReason } from './worth.ts';

/** Names that a finding shows of one value; an environment repeats the same value under many. */
const MAX_NAMES = 4;

/** Characters of each that are shown. */
const MAX_NAME = 120;

/**
 * The known secrets that are worth a search, each value once with the names of its sources. A value that says nothing
 * is left out and told of in the log, by name only.
 */
export function searchableSecrets(secrets: readonly KnownSecret[], log: Log): KnownSecret[] {
  const byValue = new Map<string, { names: Set<string>; explicit: boolean }>();
  for (const { name, value, explicit = false } of secrets) {
    const known = byValue.get(value) ?? { names: new Set(), explicit: false };
    // They may come from a pull request: no line of a log is theirs to begin.
    // The comma is what joins them, so that none can pass for another.
    known.names.add(printable(name.replaceAll(',', ' '), MAX_NAME));
    known.explicit ||= explicit;
    byValue.set(value, known);
  }
  const kept: KnownSecret[] = [];
  for (const [value, { names, explicit }] of byValue) {
    const name = listed([...names]);
    const reason = trivialReason(value, explicit);
    if (reason !== undefined) log.info(`Not searched for: ${name} (${reason}).`);
    else kept.push({ name, value, ...(explicit && { explicit }) });
  }
  return kept;
}

function listed(names: string[]): string {
  const shown = names.slice(0, MAX_NAMES).join(', ');
  return names.length > MAX_NAMES ? `${shown} and ${names.length - MAX_NAMES} more` : shown;
}
