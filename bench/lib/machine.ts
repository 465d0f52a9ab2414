import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { createSession } from '../../src/session.ts';
import { terminalLog } from '../../src/terminal.ts';

/** The repository. */
export const ROOT = join(import.meta.dirname, '..', '..');

/** Where the benchmarks leave what they publish, build and measure. */
export const OUT = join(ROOT, 'out', 'bench');

/** A session as the command line has it: its Docker labels what it starts, and `cleanup` removes what is left. */
export const { tools } = createSession(terminalLog(false), process.env);

/** The machine a benchmark ran on. */
export async function machine() {
  const engine = await tools.run(['docker', 'version', '--format', '{{.Server.Version}}']);
  return {
    cpu: cpus()[0]?.model ?? process.arch,
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release(),
    docker: engine.stdout.trim(),
  };
}

/** {@link machine} as a line of prose. */
export function describeMachine({
  cpu,
  cores,
  memoryBytes,
  kernel,
  docker,
}: Awaited<ReturnType<typeof machine>>): string {
  return `${cpu}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB, Linux ${kernel}, Docker ${docker}`;
}
