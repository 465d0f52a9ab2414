import { type ContainerSpec, fileSystem } from '../engine/container.ts';
import type { AppImage, Places } from '../model/index.ts';
import { type Isa, isaVariables } from './isa.ts';

/** Paths inside the container, handed in by the pipeline. */
export interface RuntimePaths {
  launcher: string;
  companion: string;
  /** Folder that the checkpoint is written to, which is the only place that production does not have. */
  checkpoint: string;
}

/** What the companion is told of the app's own work around a checkpoint. */
export interface HookSettings {
  /** How long hooks may take, before the checkpoint and after a restore. */
  hookSeconds: number;
  /** Paths of the app that are sent a POST. */
  beforeCheckpointPath?: string;
  afterRestorePath?: string;
}

/** What timers may do that became due while the snapshot was kept. */
export const TIMERS = ['catch-up', 'continue'] as const;

export type Timers = (typeof TIMERS)[number];

/** What the companion is told of restores. */
export interface RestoreSettings {
  /** Settings that may differ without a normal start. */
  mayDiffer: readonly string[];
  /** Variables whose secret the app does not have, or that is overwritten in the snapshot. */
  secretVariables?: readonly string[];
  timers: Timers;
}

export interface WarmSpecOptions extends HookSettings, RestoreSettings {
  /** Path whose answers tell that the app was restored. */
  readyPath: string;
  isa: Isa;
  /** The user's variables, on top of the image's own. */
  env: Record<string, string>;
  network?: string;
  places: Places;
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
    // What is forbidden in production is forbidden here, and so is found at once.
    ...fileSystem(options.places),
    volumes: [paths.checkpoint],
    env: {
      ...CHECKPOINTABLE,
      ...options.env,
      ...isaVariables(options.isa, { ...app.env, ...options.env }),
      DOTNET_SNAPSHOT_CONTROL: CONTROL_DESCRIPTORS,
      DOTNET_STARTUP_HOOKS: appHooks ? `${paths.companion}:${appHooks}` : paths.companion,
      ...(appHooks && { DOTNET_SNAPSHOT_APP_HOOKS: appHooks }),
      ...hookVariables(options, options.publish.container),
      DOTNET_SNAPSHOT_MAY_DIFFER: options.mayDiffer.join('\n'),
      DOTNET_SNAPSHOT_SECRETS: (options.secretVariables ?? []).join('\n'),
      DOTNET_SNAPSHOT_TIMERS: options.timers,
      DOTNET_SNAPSHOT_PORT: String(options.publish.container),
    },
    ...(options.network !== undefined && { network: options.network }),
    publish: options.publish,
  };
}

/** Names of the variables of .NET and of the loader that the build sets beside the user's, and that an app may suffer from. */
export function setByBuild(all: Record<string, string> = {}, own: Record<string, string> = {}): string[] {
  return Object.keys(all)
    .filter((name) => !name.startsWith('DOTNET_SNAPSHOT_') && all[name] !== own[name])
    .sort();
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
