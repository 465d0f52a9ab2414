import { SnapshotError } from '../../errors.ts';
import type { KnownSecret } from '../../model/findings.ts';
import { jsonEntries } from './json.ts';

/**
 * The secrets that a user gives: NAME=VALUE lines, and JSON objects such as `${{ toJSON(secrets) }}` makes. `source`
 * names what they were given by, in errors. Throws DS1001; no value is ever in the message.
 */
export function parseGivenSecrets(text: string, source: string): KnownSecret[] {
  const lines = text.split(/\r?\n/);
  const secrets: KnownSecret[] = [];
  const add = (name: string, value: string) => {
    // A secret that a repository lacks comes as an empty text.
    if (value !== '') secrets.push({ name: `secret ${name}`, value, explicit: true });
  };
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]!.trim();
    if (line === '') continue;
    if (line.startsWith('{')) {
      const end = endOfObject(lines, index);
      if (end === undefined) throw bad(source, index, 'has a JSON object that never ends');
      for (const { key, value } of jsonEntries(end.value)) add(key, value);
      index = end.index;
      continue;
    }
    const at = line.indexOf('=');
    // Not the line itself: it may be a secret.
    if (at < 1) throw bad(source, index, 'has no "="');
    add(line.slice(0, at).trimEnd(), line.slice(at + 1));
  }
  return secrets;
}

/** The object that begins in line `start`, and its last line. */
function endOfObject(lines: string[], start: number): { index: number; value: unknown } | undefined {
  for (let index = start; index < lines.length; index++) {
    if (!lines[index]!.trimEnd().endsWith('}')) continue;
    try {
      return { index, value: JSON.parse(lines.slice(start, index + 1).join('\n')) };
    } catch {
      // A bracket inside of it.
    }
  }
  return undefined;
}

function bad(source: string, index: number, what: string): SnapshotError {
  return new SnapshotError('DS1001', `${source} ${what} in line ${index + 1}.`, {
    fix: 'Write one NAME=VALUE a line, or a JSON object of names and values.',
  });
}
