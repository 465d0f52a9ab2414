import { SnapshotError } from '../errors.ts';

/** How long the companion may be silent once the .NET runtime is in the app's process, or once the app is ready. */
export const HELLO_MS = 15_000;

/** What the launcher tells of a container whose companion is silent: its lists of processes and of mapped files. */
export interface Silence {
  processes: string;
  files: string;
}

/** Whether the app's process has the .NET runtime in a library of its own; a single file has it inside. */
export function hasRuntime({ files }: Pick<Silence, 'files'>): boolean {
  return /\/libcoreclr\.so$/m.test(files);
}

/** What keeps the companion out of the app, as far as its container shows it: DS3012. */
export function explainSilence(silence: Silence, logs: string): SnapshotError {
  const [, pid, name] = /^process (\d+) \d+ A (.*)$/m.exec(silence.processes) ?? [];
  const app = `${name ?? 'the app'} (PID ${pid ?? '?'})`;
  const children = [...silence.processes.matchAll(/^process (\d+) \d+ [^A] (.*)$/gm)].map(
    ([, id, n]) => `${n} (PID ${id})`,
  );
  const changed = ['DOTNET_STARTUP_HOOKS', 'DOTNET_SNAPSHOT_CONTROL'].filter((variable) =>
    silence.processes.split('\n').includes(`variable ${variable}`),
  );
  const refuse = (cause: string, fix: string) => new SnapshotError('DS3012', cause, { fix, detail: logs });
  if (changed.length > 0)
    return refuse(
      `The entrypoint clears or changes ${changed.join(' and ')} before it starts ${app}, so the companion is not loaded.`,
      'Start the app without env -i or unset, or make it the entrypoint itself.',
    );
  if (/\/DotnetSnapshot\.Companion\.dll$/m.test(silence.files))
    return refuse(
      `The companion is loaded in ${app}, but does not answer.`,
      'Look at the app’s log; another startup hook, a profiler or a debugger may hold the app, or trimming has removed what the companion uses.',
    );
  if (hasRuntime(silence))
    return refuse(
      `${app} is a .NET app that loads no startup hooks, and so no companion.`,
      'Publish it untrimmed, and without StartupHookSupport=false (System.StartupHookProvider.IsSupported in its runtimeconfig.json).',
    );
  if (children.length > 0)
    return refuse(
      `${app} has no .NET runtime and started ${children.join(', ')}, in which no companion answers.`,
      'Make the .NET app itself the entrypoint, with the variables of its container.',
    );
  return refuse(
    `${app} has no .NET runtime that loads startup hooks: it is not a .NET app, or is published with NativeAOT or trimmed.`,
    'Name the image of a .NET 8 or newer app, published without PublishAot and PublishTrimmed.',
  );
}
