import { SnapshotError } from '../errors.ts';

/** A process of the warm container. */
interface Process {
  pid: number;
  parent: number;
  state: string;
  name: string;
}

/** What shells keep for themselves. */
const OF_SHELLS = new Set(['PWD', 'OLDPWD', 'SHLVL', '_']);

/**
 * Reads what `launcher processes` prints. Throws DS3008 where another process than the app runs in its container, which a
 * restored clone would not have, and DS3011 where the entrypoint gave the app other variables than the container has.
 */
export function requireAppAlone(text: string): void {
  const lines = text.split('\n');
  const processes = lines
    .map((line) => /^process (\d+) (\d+) (\S) (.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, pid, parent, state, name]): Process => ({ pid: +pid!, parent: +parent!, state: state!, name: name! }));
  const app = processes.find(({ state }) => state === 'A');
  const others = processes.filter((process) => process !== app);
  if (others.length > 0) {
    const one = others.length === 1 ? 'another process' : `${others.length} other processes`;
    throw new SnapshotError(
      'DS3008',
      `The command of the image is ${app?.name ?? 'gone'} (PID ${app?.pid ?? '?'}), and ${one} run${others.length === 1 ? 's' : ''} beside it: ${others.map(nameOf).join(', ')}. A restore brings back one process.`,
      {
        fix: others.some(({ name, parent }) => parent === app?.pid && /^dotnet$/.test(name))
          ? `Make the app itself the entrypoint, without ${app?.name}: the launcher passes signals on and waits for ended children, as an init does. A script must start the app with exec.`
          : 'Don’t start these before the checkpoint: start them in a hook after the restore (RegisterAfterRestore), or in a container of their own. If one of them is the app, make it the entrypoint, or start it with exec.',
      },
    );
  }
  const variables = lines
    .map((line) => /^variable (.+)$/.exec(line)?.[1])
    .filter((name) => name !== undefined && !OF_SHELLS.has(name));
  if (variables.length > 0)
    throw new SnapshotError(
      'DS3011',
      `The entrypoint sets, changes or removes ${[...new Set(variables)].join(', ')} before it starts the app.`,
    );
}

function nameOf({ pid, parent, state, name }: Process): string {
  return `${name} (PID ${pid}, ${state === 'Z' ? 'ended, but its parent has not waited for it; ' : ''}started by PID ${parent})`;
}
