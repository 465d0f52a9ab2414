import { SnapshotError } from '../errors.ts';
import type { ExecOptions, ExecResult, Run } from '../exec.ts';

/**
 * Runs `dotnet` in a folder: which SDK that is, global.json decides, as it is found from there. Throws DS2003 where there
 * is no SDK, or not the one that global.json asks for.
 */
export async function dotnet(
  run: Run,
  args: readonly string[],
  options: ExecOptions & { cwd: string },
): Promise<ExecResult> {
  const result = await run(['dotnet', ...args], options).catch((error: unknown) => {
    if (error instanceof SnapshotError) throw error;
    throw new SnapshotError('DS2003', 'There is no `dotnet` command on this machine.');
  });
  // These words stand between others in any language; the SDK that could translate them is what is missing.
  const [, version] = /Requested SDK version: (\S+)/.exec(`${result.stdout}${result.stderr}`) ?? [];
  const [, file] = /global\.json file: (.+)/.exec(`${result.stdout}${result.stderr}`) ?? [];
  if (result.code !== 0 && version !== undefined)
    throw new SnapshotError(
      'DS2003',
      `${file ?? 'global.json'} asks for .NET SDK ${version}, which is not installed.`,
      {
        fix: `Install .NET SDK ${version} (actions/setup-dotnet has the input global-json-file), or let global.json roll forward.`,
        detail: `${result.stdout}${result.stderr}`,
      },
    );
  if (result.code !== 0 && /No \.NET SDKs were found/.test(`${result.stdout}${result.stderr}`))
    throw new SnapshotError('DS2003', 'There is a .NET runtime on this machine, but no SDK.');
  return result;
}
