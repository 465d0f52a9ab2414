import { createHmac, randomBytes } from 'node:crypto';
import { SnapshotError } from '../../errors.ts';

/** A shorter key could be guessed, and with it the values that hashes stand for; in characters. */
const MIN_KEY_LENGTH = 16;

/** What findings are hashed under. Whoever has the key can tell whether a guess is the value; others can't. */
export interface ScanKey {
  secret: Buffer;
  /** Tells equal keys from different ones; absent for a key that only this scan has. */
  id?: string;
}

/** The key that a user gives, or a random one. Throws DS1001 where it is too short; the key is not in the message. */
export function scanKey(text?: string): ScanKey {
  if (text === undefined) return { secret: randomBytes(32) };
  if (text.length < MIN_KEY_LENGTH)
    throw new SnapshotError('DS1001', `The scan-key has ${text.length} characters.`, {
      fix: `Give at least ${MIN_KEY_LENGTH} random characters, for instance of \`openssl rand -hex 32\`, from a secret.`,
    });
  const secret = Buffer.from(text, 'utf8');
  return { secret, id: mac(secret, 'dotnet-snapshot scan key').slice(0, 8) };
}

/** What is shown in place of a value: 12 hex digits that are equal where values are, under one key. */
export function hashOf(sha256: string, { secret }: ScanKey): string {
  return mac(secret, sha256).slice(0, 12);
}

function mac(secret: Buffer, text: string): string {
  return createHmac('sha256', secret).update(text).digest('hex');
}
