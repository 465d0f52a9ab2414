import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Log } from '../log.ts';
import type { Report } from '../model/index.ts';
import { restoreNewest, saveEntry } from './cache.ts';
import { reportSchema } from './report-schema.ts';

/** Where and whose the baseline is. */
export interface BaselineOptions {
  /** Name of the branch, without `refs/heads/`: the one that was pushed, or the one that a pull request goes to. */
  branch: string;
  /** Folder for the report; the same path in every run, see `CachedDirectory`. Its contents are replaced. */
  dir: string;
  log: Log;
}

/** Keeps the report as the branch's newest. `run` tells this run and attempt from every other. True when it was saved. */
export async function saveBaseline(report: Report, run: string, options: BaselineOptions): Promise<boolean> {
  const { branch, dir, log } = options;
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, FILE), JSON.stringify(report));
  return await saveEntry(keyPrefix(report.name, branch) + run, { dir, log });
}

/** The branch's newest report of the app called `name`, or undefined where there is none that can be used; never throws. */
export async function loadBaseline(name: string, options: BaselineOptions): Promise<Report | undefined> {
  const { branch, dir, log } = options;
  const key = await restoreNewest(keyPrefix(name, branch), { dir, log });
  if (key === undefined) return undefined;
  try {
    const report = reportSchema.parse(JSON.parse(await readFile(join(dir, FILE), 'utf8')));
    if (report.name === name) return report;
    log.warning(`The baseline ${key} is of another app and was ignored.`);
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    log.warning(`The baseline ${key} is not a report that this version can read and was ignored: ${reason}`);
  }
  return undefined;
}

const FILE = 'report.json';

/** Escaped parts hold no slash: so `main/` does not find the branch `main-2`, nor the app `api` the branches of `api-2`. */
function keyPrefix(...parts: string[]): string {
  const escaped = parts.map((part) => encodeURIComponent(part.replace(/\p{Cs}/gu, '?')));
  return `dotnet-snapshot-report-v1/${escaped.join('/')}/`;
}
