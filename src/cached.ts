import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from './checkpoint/checkpoint.ts';
import { isIntact } from './checkpoint/imageFiles.ts';
import type { Measurements, Report, Snapshot } from './model/index.ts';
import { hasCanaries } from './secrets/gate.ts';
import type { Tools } from './tools.ts';
import type { Warmup } from './warmup/warmup.ts';

/** A checkpoint and how its app was warmed. */
export interface Taken {
  snapshot: Snapshot;
  warmup: Warmup;
  /** Private keys that the app holds, a line each. */
  keys: string[];
  /** Present where the snapshot comes from the cache. */
  measurements?: Measurements;
}

/** The snapshot that an unchanged app left in the cache; undefined for none, or for one that is not what its manifest says. */
export async function fromCache(key: string, work: string, tools: Tools): Promise<Taken | undefined> {
  if (!(await tools.cache?.restore(key))) return undefined;
  const { directory } = tools.cache!;
  try {
    const manifest = await readManifest(join(directory, 'manifest.json'));
    if (!(await isIntact(join(directory, 'checkpoint'), manifest)))
      throw new Error('its files are not those that its manifest names');
    if (!hasCanaries(manifest)) throw new Error('a search of it could not prove itself');
    const report = tools.cache!.parseReport(parseJson(await readFile(join(directory, 'report.json'), 'utf8')));
    const target = join(work, 'snapshot', 'checkpoint');
    await mkdir(join(work, 'snapshot'), { recursive: true });
    await cp(join(directory, 'checkpoint'), target, { recursive: true });
    tools.log.info(`the app is unchanged: snapshot ${manifest.id} comes from the cache`);
    return {
      snapshot: { directory: target, manifest, bytes: report.snapshot.bytes },
      warmup: { ...report.warmup, lastAnswers: [] },
      keys: report.keys ?? [],
      measurements: report.measurements,
    };
  } catch (error) {
    tools.log.warning(`The cached snapshot is not used: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Keeps a verified snapshot and its report for the next run. */
export async function toCache(key: string, snapshot: Snapshot, report: Report, { cache }: Tools): Promise<void> {
  if (!cache) return;
  await rm(cache.directory, { recursive: true, force: true });
  await mkdir(cache.directory, { recursive: true });
  await cp(snapshot.directory, join(cache.directory, 'checkpoint'), { recursive: true });
  await writeFile(join(cache.directory, 'manifest.json'), JSON.stringify(snapshot.manifest));
  await writeFile(join(cache.directory, 'report.json'), JSON.stringify(report));
  await cache.save(key);
}

/** The parser's own message would show some of the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('its report is no JSON');
  }
}
