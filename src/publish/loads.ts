import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SnapshotError } from '../errors.ts';

/** What of a project decides whether its app loads startup hooks. */
export interface HookProperties {
  PublishAot: string;
  PublishTrimmed: string;
  StartupHookSupport: string;
}

/** Throws DS3012 where the app, as the project is published, could not load the companion. */
export function requireHooks(file: string, framework: string, properties: HookProperties): void {
  const is = (name: keyof HookProperties, value: string) => properties[name].toLowerCase() === value;
  const refuse = (cause: string, fix: string) => new SnapshotError('DS3012', `${file} ${cause}`, { fix });
  const version = /^net(\d+)\.\d/.exec(framework)?.[1];
  if (version === undefined || Number(version) < 8)
    throw refuse(`is for ${framework}; the companion needs .NET 8 or newer.`, 'Let the app target net8.0 or newer.');
  if (is('PublishAot', 'true'))
    throw refuse(
      'is published with NativeAOT (PublishAot), which loads no startup hooks, and so no companion.',
      'Publish it without PublishAot for the snapshot, for instance with the publish argument -p:PublishAot=false.',
    );
  if (is('StartupHookSupport', 'false'))
    throw refuse(
      'sets StartupHookSupport to false, so the app loads no companion.',
      'Remove the property, or give the publish argument -p:StartupHookSupport=true.',
    );
  if (is('PublishTrimmed', 'true') && !is('StartupHookSupport', 'true'))
    throw refuse(
      'is published trimmed (PublishTrimmed), which removes the support of startup hooks, and so the companion.',
      'Publish it untrimmed for the snapshot, for instance with the publish argument -p:PublishTrimmed=false.',
    );
}

/** Throws DS3012 where the published settings of the runtime forbid startup hooks, whatever has set them. */
export async function requireHooksPublished(directory: string, assembly: string): Promise<void> {
  const name = `${assembly}.runtimeconfig.json`;
  // A single file has it inside.
  const text = await readFile(join(directory, name), 'utf8').catch(() => '');
  if (/"System\.StartupHookProvider\.IsSupported"\s*:\s*"?false/i.test(text))
    throw new SnapshotError('DS3012', `${name} sets System.StartupHookProvider.IsSupported to false.`, {
      fix: 'Remove what sets it: StartupHookSupport or PublishTrimmed in the project, or runtimeconfig.template.json.',
    });
}
