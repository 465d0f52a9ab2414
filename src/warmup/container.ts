import type { ContainerSpec } from '../engine/container.ts';
import type { AppImage } from '../model/index.ts';
import { type Isa, isaVariables } from './isa.ts';

/** Paths inside the container, handed in by the pipeline. */
export interface RuntimePaths {
  launcher: string;
  companion: string;
}

/** What the companion is told of the app's own work around a checkpoint. */
export interface HookSettings {
  /** How long hooks may take, before the checkpoint and after a restore. */
  hookSeconds: number;
  /** Paths of the app that are sent a POST. */
  beforeCheckpointPath?: string;
  afterRestorePath?: string;
}

export interface WarmSpecOptions extends HookSettings {
  /** Path whose answers tell that the app was restored. */
  readyPath: string;
  isa: Isa;
  /** The user's variables, on top of the image's own. */
  env: Record<string, string>;
  network?: string;
  publish: { host: number; container: number };
}

/**
 * What the app is started with to be checkpointed, and restored fast:
 * - W^X keeps code in a memfd that is mapped shared, twice; a restore copies such memory instead of mapping it;
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

/** The container in which the app is warmed and checkpointed. */
export function warmSpec(image: string, app: AppImage, options: WarmSpecOptions, paths: RuntimePaths): ContainerSpec {
  const appHooks = options.env.DOTNET_STARTUP_HOOKS ?? app.env.DOTNET_STARTUP_HOOKS;
  return {
    image,
    user: app.user,
    // For the dump alone: criu carries them in its file; the app, which is not root, gets none.
    capabilities: ['CHECKPOINT_RESTORE', 'SYS_PTRACE'],
    // A filtered process can only be dumped by SYS_ADMIN. The restored one is under production's filter.
    seccomp: 'unconfined',
    noNewPrivileges: true,
    env: {
      ...CHECKPOINTABLE,
      ...options.env,
      ...isaVariables(options.isa, { ...app.env, ...options.env }),
      DOTNET_SNAPSHOT_CONTROL: CONTROL_DESCRIPTORS,
      DOTNET_STARTUP_HOOKS: appHooks ? `${paths.companion}:${appHooks}` : paths.companion,
      ...(appHooks && { DOTNET_SNAPSHOT_APP_HOOKS: appHooks }),
      ...hookVariables(options, options.publish.container),
    },
    ...(options.network !== undefined && { network: options.network }),
    publish: options.publish,
  };
}

function hookVariables(hooks: WarmSpecOptions, port: number): Record<string, string> {
  const url = (path: string) => `http://127.0.0.1:${port}${path}`;
  return {
    DOTNET_SNAPSHOT_HOOK_SECONDS: String(hooks.hookSeconds),
    DOTNET_SNAPSHOT_READY_PATH: hooks.readyPath.replace(/\?.*/, ''),
    ...(hooks.beforeCheckpointPath !== undefined && { DOTNET_SNAPSHOT_BEFORE_URL: url(hooks.beforeCheckpointPath) }),
    ...(hooks.afterRestorePath !== undefined && { DOTNET_SNAPSHOT_AFTER_URL: url(hooks.afterRestorePath) }),
  };
}
