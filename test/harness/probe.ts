import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './cli.ts';
import { runProgram } from './run-program.ts';

const execFileAsync = promisify(execFile);

/** The test app that misbehaves on demand; see its Program.cs for the variables. */
export const PROBE = join(ROOT, 'test/integration/apps/probe');
export const PROBE_TRAFFIC = join(PROBE, 'traffic.yaml');

/** Copies the probe's sources into a folder, for a test that spoils them. */
export async function copyProbe(folder: string): Promise<string> {
  await cp(PROBE, folder, { recursive: true, filter: (path) => !['bin', 'obj'].includes(basename(path)) });
  return folder;
}

/** Publishes the probe and makes an image of it; `entrypoint` replaces the plain one. */
export async function buildProbe(scratch: string, reference: string): Promise<void> {
  const context = join(scratch, 'probe-image');
  await mkdir(context, { recursive: true });
  const project = await copyProbe(join(scratch, 'probe'));
  await runProgram(['dotnet', 'publish', project, '--nologo', '-c', 'Release', '-o', join(context, 'app')]);
  await buildImage(context, reference, [
    'FROM mcr.microsoft.com/dotnet/aspnet:10.0',
    'WORKDIR /app',
    'COPY app/ ./',
    'USER 1654',
    'ENTRYPOINT ["dotnet", "Probe.dll"]',
  ]);
}

/** Builds an image from the lines of a Dockerfile. */
export async function buildImage(context: string, reference: string, lines: readonly string[]): Promise<void> {
  await mkdir(context, { recursive: true });
  await writeFile(join(context, 'Dockerfile'), `${lines.join('\n')}\n`);
  await execFileAsync('docker', ['build', '--tag', reference, context], {
    env: { ...process.env, DOCKER_BUILDKIT: '0' },
    maxBuffer: 16 * 1024 * 1024,
  });
}
