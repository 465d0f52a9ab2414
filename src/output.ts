import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Deployment, resourceName } from './deploy/deployment.ts';
import { deploymentFiles } from './deploy/files.ts';
import { productionSpec } from './engine/container.ts';
import type { Manifest, ScanResult, Snapshot } from './model/index.ts';
import type { Outcome } from './pipeline.ts';
import { renderMarkdown } from './report/markdown.ts';
import { renderStartupSvg } from './report/svg.ts';
import { findingsToJson, findingsToSarif } from './scan/present/index.ts';
import type { Tools } from './tools.ts';
import { version } from './version.ts';

/** Files of a build in its output folder. */
export interface OutputFiles {
  markdown: string;
  json: string;
  svg: string;
  /** The findings as SARIF, and as JSON that a later scan can take as its baseline. */
  sarif: string;
  scan: string;
  /** Folder with manifest.json and checkpoint/. */
  snapshot: string;
  /** Folder with the files of {@link writeDeployment}. */
  deploy: string;
}

/** The paths that a build writes in `directory`. */
export function outputFiles(directory: string): OutputFiles {
  return {
    markdown: join(directory, 'report.md'),
    json: join(directory, 'report.json'),
    svg: join(directory, 'startup.svg'),
    sarif: join(directory, 'scan.sarif'),
    scan: join(directory, 'scan.json'),
    snapshot: join(directory, 'snapshot'),
    deploy: join(directory, 'deploy'),
  };
}

/** Empties what an earlier build left, so that nothing old is taken for new. */
export async function clearOutput(directory: string): Promise<void> {
  for (const path of Object.values(outputFiles(directory))) await rm(path, { recursive: true, force: true });
}

/** Writes the findings; they never hold a secret's value. */
export async function writeScan(directory: string, scan: ScanResult): Promise<void> {
  await mkdir(directory, { recursive: true });
  const files = outputFiles(directory);
  await writeFile(files.sarif, `${JSON.stringify(findingsToSarif(scan, version), null, 2)}\n`);
  await writeFile(files.scan, `${JSON.stringify(findingsToJson(scan, version), null, 2)}\n`);
}

/** Writes the report in its three forms, the scanned snapshot, and the files to deploy its image by. */
export async function writeOutcome(directory: string, outcome: Outcome, tools: Tools): Promise<OutputFiles> {
  const files = outputFiles(directory);
  await writeDeployment(files.deploy, outcome.image, outcome.snapshot.manifest, tools);
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

/** Writes the files to deploy a restore-ready image by, in place of older ones; `chosen` counts before what the manifest says. */
export async function writeDeployment(
  directory: string,
  image: string,
  manifest: Manifest,
  { docker }: Pick<Tools, 'docker'>,
  chosen: Partial<Pick<Deployment, 'name' | 'port' | 'readyPath'>> = {},
): Promise<string[]> {
  const { port, path, ...ready } = manifest.ready ?? { port: 8080, path: '/' };
  const files = deploymentFiles({
    spec: productionSpec(image, manifest.places),
    imageUser: (await docker.requireImage(image)).user,
    name: resourceName(manifest.name),
    port,
    readyPath: path,
    ready,
    manifest,
    ...chosen,
  });
  await mkdir(directory, { recursive: true });
  for (const [file, text] of Object.entries(files)) await writeFile(join(directory, file), text);
  return Object.keys(files).map((file) => join(directory, file));
}
