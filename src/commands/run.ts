import { containerArguments, productionSpec } from '../engine/container.ts';
import { runInForeground } from '../exec.ts';
import { placesOf } from '../image/restoreReady.ts';
import type { Command } from './command.ts';
import { parseFlags } from './flags.ts';

export const run: Command = {
  handlesSignals: true,
  summary: 'run a restore-ready image in the strictest container that it restores in',
  help: [
    'usage: dotnet-snapshot run IMAGE [--print] [-- DOCKER-FLAGS…]',
    '',
    'docker run without capabilities, with no-new-privileges, and with a read-only root and a tmpfs on /tmp, with the',
    'places of `writable` and the mounts of the build. A plain `docker run IMAGE` restores, too, where the app made no',
    'files outside of /tmp.',
    'Flags after -- go to docker, for instance -- --publish 8080:8080. --print shows the command.',
  ].join('\n'),
  async run(words, { docker }) {
    const at = words.indexOf('--');
    const [own, extra] = at < 0 ? [words, []] : [words.slice(0, at), words.slice(at + 1)];
    const options = { print: { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseFlags(own, options, { least: 1, most: 1, what: 'The image' });
    const image = await docker.image(positionals[0]!).catch(() => undefined);
    const spec = productionSpec(positionals[0]!, placesOf(image?.labels ?? {}));
    const argv = ['docker', 'run', '--rm', ...extra, ...containerArguments(spec)];
    if (values.print) {
      console.log(argv.map(quoted).join(' '));
      return 0;
    }
    await docker.requireEngine();
    await docker.requireImage(positionals[0]!);
    return runInForeground(argv);
  },
};

/** A word as a POSIX shell reads it back. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
