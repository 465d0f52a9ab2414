import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScanResult, Snapshot } from './model/index.ts';
import type { Outcome } from './pipeline.ts';
import { renderMarkdown } from './report/markdown.ts';
import { renderStartupSvg } from './report/svg.ts';
import { findingsToSarif } from './scan/index.ts';
import { version } from './version.ts';

/** Files of a build in its output folder. */
export interface OutputFiles {
  markdown: string;
  json: string;
  svg: string;
  sarif: string;
  /** Folder with manifest.json and checkpoint/. */
  snapshot: string;
}

/** The paths that a build writes in `directory`. */
export function outputFiles(directory: string): OutputFiles {
  return {
    markdown: join(directory, 'report.md'),
    json: join(directory, 'report.json'),
    svg: join(directory, 'startup.svg'),
    sarif: join(directory, 'scan.sarif'),
    snapshot: join(directory, 'snapshot'),
  };
}

/** Empties what an earlier build left, so that nothing old is taken for new. */
export async function clearOutput(directory: string): Promise<void> {
  for (const path of Object.values(outputFiles(directory))) await rm(path, { recursive: true, force: true });
}

/** Writes the findings; they never hold a secret's value. */
export async function writeScan(directory: string, scan: ScanResult): Promise<void> {
  await mkdir(directory, { recursive: true });
  await writeFile(outputFiles(directory).sarif, `${JSON.stringify(findingsToSarif(scan, version), null, 2)}\n`);
}

/** Writes the report in its three forms and the scanned snapshot. */
export async function writeOutcome(directory: string, outcome: Outcome): Promise<OutputFiles> {
  const files = outputFiles(directory);
  await writeSnapshot(directory, outcome.snapshot);
  await writeFile(files.json, `${JSON.stringify(outcome.report, null, 2)}\n`);
  await writeFile(files.svg, renderStartupSvg(outcome.report));
  await writeFile(files.markdown, renderMarkdown(outcome.report, { svgPath: 'startup.svg' }));
  return files;
}

/** Writes the scanned snapshot and its manifest; returns their folder. */
export async function writeSnapshot(directory: string, { directory: from, manifest }: Snapshot): Promise<string> {
  const { snapshot } = outputFiles(directory);
  await mkdir(snapshot, { recursive: true });
  await cp(from, join(snapshot, 'checkpoint'), { recursive: true });
  await writeFile(join(snapshot, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return snapshot;
}
