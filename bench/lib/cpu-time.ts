import { readFileSync } from 'node:fs';

/** Where Docker's cgroups are, by its driver: cgroupfs or systemd. */
const FOLDERS = ['docker/ID', 'system.slice/docker-ID.scope'];

/** Their CPU time, by the version of cgroups: nanoseconds by themselves, or microseconds in a line of several. */
const PLACES = FOLDERS.flatMap((folder) => [
  { file: `/sys/fs/cgroup/cpuacct/${folder}/cpuacct.usage`, millis: (text: string) => Number(text) / 1e6 },
  {
    file: `/sys/fs/cgroup/${folder}/cpu.stat`,
    millis: (text: string) => Number(/^usage_usec (\d+)/m.exec(text)?.[1]) / 1e3,
  },
]);

/** What to say once where {@link cpuTime} finds nothing. */
export const NO_CPU_TIME = `no CPU times: none of ${PLACES.map(({ file }) => file).join(', ')} can be read`;

/**
 * CPU time in milliseconds that the running container of that id has used: all of its cgroup's, so also that of the
 * container runtime's own init. Undefined where it can't be read, as with an engine on another machine.
 */
export function cpuTime(id: string): number | undefined {
  for (const { file, millis } of PLACES) {
    try {
      return millis(readFileSync(file.replace('ID', id), 'utf8'));
    } catch {
      // The other driver's or the other version's.
    }
  }
  return undefined;
}
