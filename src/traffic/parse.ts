import { createHash } from 'node:crypto';
import { SnapshotError } from '../errors.ts';
import type { Traffic } from '../model/index.ts';
import { problemsOf } from '../problemText.ts';
import { YamlSource } from '../yamlSource.ts';
import { decodeUtf8, readBounded } from './files.ts';
import { RequestReader } from './requests.ts';
import { keysAt, trafficSchema } from './schema.ts';

/**
 * Reads a traffic file, version 1, and the body files it names. Throws SnapshotError DS1004 with all that is wrong,
 * each as `file:line:column: …`, or DS1005 where there are no requests.
 */
export async function parseTraffic(file: string): Promise<Traffic> {
  const bytes = await readBounded(file).catch((error: Error) => {
    throw new SnapshotError('DS1004', `${file}: ${error.message}`);
  });
  const source = new YamlSource(file, decode(file, bytes), 'DS1004');
  if (source.value === null) throw noRequests(file);
  if (source.value === undefined) throw source.failure(source.problems);

  const issues = trafficSchema.safeParse(source.value).error?.issues ?? [];
  const { version, requests } = source.value as { version?: unknown; requests?: unknown };
  const wrongVersion = issues.find(({ path }) => path[0] === 'version');
  // Of another version nothing else is known, so only that is said.
  if (wrongVersion && version !== undefined) throw source.failure(problemsOf(wrongVersion, source, keysAt));
  const problems = [...source.problems, ...issues.flatMap((issue) => problemsOf(issue, source, keysAt))];
  if (problems.length === 1 && issues[0]?.path.join('.') === 'requests' && isEmpty(requests)) throw noRequests(file);

  const reader = new RequestReader(file, source);
  const exchanges = await reader.read(Array.isArray(requests) ? requests : []);
  problems.push(...reader.problems);
  if (problems.length > 0) throw source.failure(problems);
  return { file, digest: digestOf([bytes, ...reader.bodyFiles.values()]), exchanges };
}

function decode(file: string, bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    throw new SnapshotError('DS1004', `${file}:${(error as Error).message}`);
  }
}

function isEmpty(requests: unknown): boolean {
  return requests === undefined || requests === null || (Array.isArray(requests) && requests.length === 0);
}

function noRequests(file: string): SnapshotError {
  return new SnapshotError('DS1005', `${file} has no requests`);
}

function digestOf(files: Uint8Array[]): string {
  const hash = createHash('sha256');
  // The lengths keep two different splits of the same bytes apart.
  for (const bytes of files) hash.update(`${bytes.length}\n`).update(bytes);
  return `sha256:${hash.digest('hex')}`;
}
