import { fixOf, SnapshotError } from '../errors.ts';
import type { Access, Places } from '../model/index.ts';
import { type ContainerSpec, productionSpec } from './container.ts';
import type { Docker } from './docker.ts';

/** The app's own image, to start it normally, and the user that it runs as. */
export interface ColdImage {
  image: string;
  user: string;
}

/** A container of the app that starts normally, with the settings of clones; `image` is the restore-ready one. */
export function coldSpec(options: {
  image: string;
  cold: ColdImage;
  access: Access;
  env: Record<string, string>;
  places: Places;
}): ContainerSpec {
  const { image, cold, access, env, places } = options;
  // Only the launcher can tell whether there is a file in any image; where it is not to restore, it becomes the app.
  const needsLauncher = access.ready.by === 'file';
  return {
    ...productionSpec(needsLauncher ? image : cold.image, places),
    user: cold.user,
    env: needsLauncher ? { ...env, DOTNET_SNAPSHOT: 'off' } : env,
  };
}

/** Why the app, started normally, could not be asked: the restore is not to blame. */
export async function notStarted(
  container: string,
  why: string,
  { readyMillis }: Access,
  docker: Docker,
): Promise<SnapshotError> {
  const { running, exitCode } = await docker.state(container);
  const seen = running
    ? `was not ready after ${readyMillis / 1000} s: ${why}`
    : `ended with exit code ${exitCode} before it was ready`;
  return new SnapshotError(running ? 'DS3001' : 'DS3002', `The app, started normally to compare with, ${seen}.`, {
    detail: await docker.logs(container),
    fix: 'Correct what the log shows. It was started without the launcher, with the variables, mounts and user of the build, a root that is read-only but for `writable`, and no capability.',
  });
}

/** Why a restored container is not ready; DS5002. */
export async function notRestored(
  container: string,
  why: string,
  { ready, readyMillis }: Access,
  docker: Docker,
): Promise<SnapshotError> {
  const { running, exitCode } = await docker.state(container);
  const detail = await docker.logs(container);
  if (/^DS5005 /m.test(detail))
    return new SnapshotError('DS5002', 'The image does not restore.', { detail, fix: fixOf('DS5005') });
  if (!running)
    return new SnapshotError('DS5002', `The image does not restore: its container ended with exit code ${exitCode}.`, {
      detail,
    });
  return new SnapshotError('DS5002', `The restored app was not ready after ${readyMillis / 1000} s: ${why}.`, {
    detail,
    fix:
      ready.by === 'file' || ready.by === 'command'
        ? 'A file that the app made at its start is not in a clone: make it again after a restore, in a hook (RegisterAfterRestore), or set --ready to a line of the log.'
        : 'Look at the log shown: the app was ready before its checkpoint, so what it waits for is lost by a restore.',
  });
}
