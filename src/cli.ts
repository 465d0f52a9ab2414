import type { Command } from './commands/command.ts';
import { commands } from './commands/index.ts';
import { SnapshotError } from './errors.ts';
import { createSession, runSession } from './session.ts';
import { terminalLog } from './terminal.ts';
import { version } from './version.ts';

/** The command line: finds the command, runs it, presents its failure. */
async function main(words: string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === '--version') {
    console.log(version);
    return 0;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(overview());
    return name === undefined ? 2 : 0;
  }
  const own = beforeDashes(rest);
  const command = Object.hasOwn(commands, name) ? (commands as Record<string, Command>)[name] : undefined;
  const session = createSession(terminalLog(own.includes('--verbose')), process.env);
  const work = async () => {
    if (!command)
      throw new SnapshotError('DS1001', `There is no command "${name}".`, { fix: 'See dotnet-snapshot --help.' });
    if (own.some((word) => word === '--help' || word === '-h')) {
      console.log(command.help);
      return 0;
    }
    return command.run([...own.filter((word) => word !== '--verbose'), ...rest.slice(own.length)], session.tools);
  };
  return runSession(session, work, (error) => console.error(error.format()), {
    interruptible: !command?.handlesSignals,
  });
}

function beforeDashes(words: string[]): string[] {
  const at = words.indexOf('--');
  return at < 0 ? words : words.slice(0, at);
}

function overview(): string {
  const list = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return [
    'dotnet-snapshot: restore-ready images of .NET apps, warmed and verified',
    '',
    'usage: dotnet-snapshot COMMAND [--help] [--verbose] …',
    '',
    ...list,
    '',
    'exit codes: 0 ok, 1 unexpected, 2 usage, 3 not checkpointable, 4 secrets found, 5 verification failed, 130 interrupted',
  ].join('\n');
}

main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
  // An interrupted pipeline may still wait for something; what is printed must have arrived before the end.
  if (code === 130) process.stderr.write('', () => process.exit());
});
