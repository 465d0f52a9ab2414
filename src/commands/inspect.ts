import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseManifest, readManifest } from '../checkpoint/checkpoint.ts';
import { SnapshotError } from '../errors.ts';
import { PREFIX } from '../image/runtime.ts';
import type { Manifest } from '../model/index.ts';
import type { Tools } from '../tools.ts';
import type { Command } from './command.ts';
import { parseFlags } from './flags.ts';

export const inspect: Command = {
  summary: 'show what a snapshot or a restore-ready image holds',
  help: [
    'usage: dotnet-snapshot inspect DIR|IMAGE',
    '',
    'Prints the snapshot’s manifest as JSON: app, base image, runtime, CRIU, kernel, CPU, user, traffic and files.',
  ].join('\n'),
  async run(words, tools) {
    const { positionals } = parseFlags(words, {}, { least: 1, most: 1, what: 'The folder or image' });
    const [target] = positionals;
    const manifest = (await stat(target!).catch(() => undefined))?.isDirectory()
      ? await readManifest(join(target!, 'manifest.json'))
      : await manifestOfImage(target!, tools);
    console.log(JSON.stringify(manifest, null, 2));
    return 0;
  },
};

/** The manifest in a restore-ready image; throws DS6002 where it holds none, DS2009 where there is no such image here. */
export async function manifestOfImage(image: string, { docker, cleanup }: Tools): Promise<Manifest> {
  await docker.requireEngine();
  await docker.requireImage(image);
  const container = await docker.create({ image });
  cleanup.defer('container', () => docker.remove(container));
  const text = await docker.readFile(container, `${PREFIX}/manifest.json`);
  if (text === undefined) throw new SnapshotError('DS6002', `The image ${image} holds no snapshot.`);
  return parseManifest(text, `${PREFIX}/manifest.json of ${image}`);
}
