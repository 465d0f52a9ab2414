import type { z } from 'zod';
import type { Problem, YamlSource } from './yamlSource.ts';

/** A path in the file as text, such as `requests[2].headers.accept`. */
export function showPath(path: readonly PropertyKey[]): string {
  const text = path
    .map((step) => {
      if (typeof step === 'number') return `[${step}]`;
      return /^[\w-]+$/.test(String(step)) ? `.${String(step)}` : `[${JSON.stringify(step)}]`;
    })
    .join('');
  return text.replace(/^\./, '') || 'the file';
}

/** The problems that an issue found by the schema stands for; `keysAt` names the keys that are known at a place. */
export function problemsOf(
  issue: z.core.$ZodIssue,
  source: YamlSource,
  keysAt: (path: readonly PropertyKey[]) => string[],
): Problem[] {
  const { path } = issue;
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path);
    return issue.keys.map((key) => ({
      offset: source.offsetOf([...path, key], 'key'),
      text: `${showPath([...path, key])} is not known; ${didYouMean(key, known) ?? `expected one of ${known.join(', ')}`}`,
    }));
  }
  if (issue.code === 'invalid_key') {
    const expected = issue.issues[0]?.message ?? 'another name';
    const text = `${showPath(path)} has a wrong name; expected ${expected}`;
    return [{ offset: source.offsetOf(path, 'key'), text }];
  }
  const value = valueAt(source.value, path);
  const found = value === undefined ? 'missing' : showValue(value);
  return [{ offset: source.offsetOf(path), text: `${showPath(path)} is ${found}; expected ${issue.message}` }];
}

/** `did you mean "x"?` for the known word nearest to a mistyped one; undefined where none is near. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance)[0];
  return near && `did you mean "${near.candidate}"?`;
}

function showValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a map';
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((part, step) => (part as Record<PropertyKey, unknown> | undefined)?.[step], value);
}

/** Letters to insert, remove, replace or swap with a neighbour to make one word of the other. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 3) return Number.POSITIVE_INFINITY;
  const rows = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? rows[i - 2]![j - 2]! + 1 : replaced;
      row.push(Math.min(replaced, swapped, rows[i - 1]![j]! + 1, row[j - 1]! + 1));
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
