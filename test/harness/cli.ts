import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const node24 = join(root, 'node_modules', '.bin', 'node');
const bundle = join(root, 'dist', 'cli.cjs');

export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Starts the committed command line under Node 24, in the repository's root. */
export function startCli(
  args: string[],
  env: Record<string, string> = {},
): { child: ChildProcess; finished: Promise<Finished> } {
  const child = spawn(node24, [bundle, ...args], { cwd: root, env: { ...process.env, ...env } });
  const finished = new Promise<Finished>((resolve) => {
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
  return { child, finished };
}

/** Runs the committed command line to its end. */
export function cli(args: string[], env: Record<string, string> = {}): Promise<Finished> {
  return startCli(args, env).finished;
}

/** Runs docker; rejects with its standard error where it fails, unless told otherwise. */
export function docker(args: string[], { mayFail = false } = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    execFile('docker', args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error ? Number(error.code ?? 1) : 0;
      if (code !== 0 && !mayFail) reject(new Error(`docker ${args.join(' ')}: ${stderr}`));
      else resolve({ code, stdout, stderr });
    });
  });
}

/**
 * What an interrupted or failed run must not leave: containers, temporary folders, half-made images. Without those in
 * `before`, which other runs on this machine had there already.
 */
export async function leftovers(before: readonly string[] = []): Promise<string[]> {
  const containers = await docker([
    'ps',
    '--all',
    '--filter',
    'label=dotnet-snapshot.run',
    '--format',
    'container {{.Image}}',
  ]);
  const images = await docker(['images', '--format', 'image {{.Repository}}:{{.Tag}}']);
  const found = [
    ...containers.stdout.split('\n').filter(Boolean),
    ...images.stdout
      .split('\n')
      .filter((name) => /^image dotnet-snapshot\/.*:(app|warm|recording|candidate)-/.test(name)),
    ...readdirSync(tmpdir()).filter(
      (name) => /^dotnet-snapshot-(?!test-)/.test(name) && !name.startsWith('dotnet-snapshot-e2e'),
    ),
  ];
  return found.filter((item) => !before.includes(item));
}

/** A started container's address on the default bridge. */
export async function addressOf(container: string): Promise<string> {
  return (await docker(['inspect', '--format', '{{.NetworkSettings.IPAddress}}', container])).stdout.trim();
}

/** Asks `url` until `accept` is content with the status, for 20 s at most; resolves to the last status, 0 for no answer. */
export async function statusOf(url: string, accept = (status: number) => status > 0): Promise<number> {
  const deadline = Date.now() + 20_000;
  let status = 0;
  while (Date.now() < deadline && !accept(status)) {
    status = await fetch(url, { signal: AbortSignal.timeout(5000) }).then(
      (response) => response.status,
      () => 0,
    );
    if (!accept(status)) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return status;
}
