import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Forgotten, KnownSecret } from '../model/index.ts';
import { chunksOf } from '../scan/chunks.ts';
import type { Worthless } from '../scan/scan.ts';

const BY_KEY =
  'the data-protection key that protects it was forgotten before the checkpoint, and the snapshot does not hold it';
const BY_CONNECTION = 'it is the token of a SignalR connection that had ended before the checkpoint';

/** The ids of those keys of which the files of a folder hold no form. A key of which no form is known is not among them. */
export async function forgottenKeys(directory: string, keys: Forgotten['keys']): Promise<string[]> {
  const forms = keys.flatMap(({ id, forms }) =>
    forms.map((form) => ({ ...form, id, start: Buffer.from(form.start, 'hex') })),
  );
  const held = new Set<string>();
  const longest = Math.max(1, ...forms.map(({ length }) => length));
  const entries = forms.length === 0 ? [] : await readdir(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((found) => found.isFile()))
    for await (const { bytes } of chunksOf(join(entry.parentPath, entry.name), longest - 1))
      for (const { id, start, length, sha256 } of forms)
        for (let at = bytes.indexOf(start); at >= 0; at = bytes.indexOf(start, at + 1))
          if (
            createHash('sha256')
              .update(bytes.subarray(at, at + length))
              .digest('hex') === sha256
          )
            held.add(id);
  return keys.filter(({ id, forms }) => forms.length > 0 && !held.has(id)).map(({ id }) => id);
}

/** Why values are worth nothing. A value that is known as anything else, too, is not among them. */
export function worthless(
  keyIds: readonly string[],
  tokens: readonly string[],
  known: readonly KnownSecret[],
): Worthless {
  const ended = new Set(tokens);
  const others = new Set(known.filter(({ kind }) => kind !== 'signalr-token').map(({ value }) => value));
  const values = new Map<string, string>();
  for (const { value, kind } of known) {
    if (kind !== 'signalr-token' || others.has(value)) continue;
    const sha256 = createHash('sha256').update(value).digest('hex');
    if (ended.has(sha256.slice(0, 32))) values.set(sha256, BY_CONNECTION);
  }
  return { keys: new Map(keyIds.map((id) => [id, BY_KEY])), values };
}
