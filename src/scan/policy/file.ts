import { readFile, stat } from 'node:fs/promises';
import { SnapshotError } from '../../errors.ts';
import { problemsOf } from '../../problemText.ts';
import { YamlSource } from '../../yamlSource.ts';
import { type Allowance, policyKeysAt, policySchema } from './schema.ts';

/** Largest file that is read, in bytes. */
const MAX_BYTES = 16 * 1024 * 1024;

/**
 * The allowances of a policy file. Throws DS1001 with all that is wrong, each as `file:line:column: …`; also where an
 * entry names a hash and there is no key that hashes could be compared under.
 */
export async function readAllowances(file: string, keyed: boolean): Promise<Allowance[]> {
  const source = new YamlSource(file, await readGiven('scan-policy', file), 'DS1001');
  if (source.problems.length > 0) throw source.failure(source.problems);
  const parsed = policySchema.safeParse(source.value);
  if (!parsed.success)
    throw source.failure(parsed.error.issues.flatMap((issue) => problemsOf(issue, source, policyKeysAt)));
  const { allow } = parsed.data;
  const hashed = allow.findIndex(({ hash }) => hash !== undefined);
  if (hashed >= 0 && !keyed)
    throw new SnapshotError('DS1001', `${file}: allow[${hashed}] names a hash, and there is no scan-key.`, {
      fix: 'Give scan-key: without one, the hashes of each scan are different.',
    });
  return allow;
}

/** The text of a file that the option `option` names. Throws DS1001. */
export async function readGiven(option: string, file: string): Promise<string> {
  const info = await stat(file).catch(() => undefined);
  const reason = !info
    ? 'there is no such file'
    : !info.isFile()
      ? 'it is no file'
      : info.size > MAX_BYTES
        ? `it is larger than ${MAX_BYTES / 1024 / 1024} MB`
        : undefined;
  if (reason === undefined) {
    try {
      return await readFile(file, 'utf8');
    } catch {
      // As below.
    }
  }
  throw new SnapshotError('DS1001', `The ${option} ${file} can’t be read: ${reason ?? 'permission denied'}.`);
}
