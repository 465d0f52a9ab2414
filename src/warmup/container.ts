import type { ContainerSpec } from '../engine/container.ts';
import type { AppImage } from '../model/index.ts';

/** Paths inside the container, handed in by the pipeline. */
export interface RuntimePaths {
  launcher: string;
  companion: string;
}

/**
 * What the app must be started with to be checkpointable, each measured to be needed:
 * - W^X's double mapping can't be restored without privileges;
 * - inotify watches can't be dumped on overlayfs, so files are watched by polling;
 * - without the delay the JIT reaches its plateau in one second instead of three.
 */
const CHECKPOINTABLE = {
  DOTNET_EnableWriteXorExecute: '0',
  DOTNET_USE_POLLING_FILE_WATCHER: '1',
  DOTNET_TC_CallCountingDelayMs: '0',
};

/** File descriptors of the companion's control pipes; launcher.h has the same numbers. */
const CONTROL_DESCRIPTORS = '900,901';

/** The container in which the app is warmed and checkpointed. `env` is the user's, on top of the image's own. */
export function warmSpec(
  image: string,
  app: AppImage,
  options: { env: Record<string, string>; network?: string; publish: { host: number; container: number } },
  paths: RuntimePaths,
): ContainerSpec {
  const appHooks = options.env.DOTNET_STARTUP_HOOKS ?? app.env.DOTNET_STARTUP_HOOKS;
  return {
    image,
    user: app.user,
    // SYS_PTRACE is the dump's; the launcher starts the app without any capability.
    capabilities: ['CHECKPOINT_RESTORE', 'SETPCAP', 'SYS_PTRACE'],
    // A filtered process can only be dumped by SYS_ADMIN. The restored one is under production's filter.
    seccomp: 'unconfined',
    noNewPrivileges: true,
    env: {
      ...CHECKPOINTABLE,
      ...options.env,
      DOTNET_SNAPSHOT_CONTROL: CONTROL_DESCRIPTORS,
      DOTNET_STARTUP_HOOKS: appHooks ? `${paths.companion}:${appHooks}` : paths.companion,
      ...(appHooks && { DOTNET_SNAPSHOT_APP_HOOKS: appHooks }),
    },
    ...(options.network !== undefined && { network: options.network }),
    publish: options.publish,
  };
}
