import { SnapshotError } from '../errors.ts';
import type { AppImage, Places } from '../model/index.ts';

/** Whether a place that is empty in each container would hide the app itself. */
function hides(place: string, { workingDirectory, command }: AppImage): boolean {
  const own = [workingDirectory, ...command].filter((path) => path.startsWith('/') && path !== '/');
  return place !== '/' && own.some((path) => path === place || path.startsWith(`${place}/`));
}

/** Throws DS1001 where a place would hide the app. */
export function requirePlaces({ writable, mounts }: Places, app: AppImage): void {
  const place = [...writable, ...mounts.map(({ target }) => target)].find((path) => hides(path, app));
  if (place)
    throw new SnapshotError(
      'DS1001',
      `${place} is where the image has the app, which a place to write to would hide.`,
      {
        fix: `Name the folder that the app writes to, for instance ${place}/data, or give \`writable: /\` where production’s root can be written to.`,
      },
    );
}

/** What .NET says of a write that its container forbids, with the path. */
const READ_ONLY = /Read-only file system : '([^']+)'/;
const SQLITE = /SQLite Error (14: 'unable to open database file|8: 'attempt to write a readonly database)/;
const DENIED = /Access to the path '([^']+)' is denied/;

/**
 * The failure of a warmup, with its cause where the app's log tells that it wrote to what production lets nobody write
 * to: the log is read for the last such line.
 */
export function explainForbidden(error: unknown, log: string, app: AppImage): unknown {
  if (!(error instanceof SnapshotError) || !['DS3001', 'DS3002', 'DS5001'].includes(error.code)) return error;
  const [readOnly, denied] = [READ_ONLY.exec(log)?.[1], DENIED.exec(log)?.[1]];
  const path = readOnly ?? denied;
  if (!path && SQLITE.test(log))
    return new SnapshotError(error.code, `${error.message} SQLite could not write its database.`, {
      ...(error.detail !== undefined && { detail: error.detail }),
      fix: 'Its folder is read-only, as in production, or not the user’s: give --writable FOLDER where that is a tmpfs or volume in production; if production’s whole root can be written to, --writable /.',
    });
  if (!path) return error;
  const parent = path.replace(/\/[^/]*$/, '');
  // What is directly in the root, or beside the app, needs a folder of its own.
  const folder = parent === '' ? path : hides(parent, app) ? `${parent}/data` : parent;
  const why = readOnly
    ? `It could not write to ${path}, which is read-only, as in production.`
    : `Its user was denied access to ${path}.`;
  return new SnapshotError(error.code, `${error.message} ${why}`, {
    ...(error.detail !== undefined && { detail: error.detail }),
    fix: readOnly
      ? `If production has a tmpfs or volume there, give --writable ${folder}${folder.startsWith(`${parent}/`) && parent ? ', and let the app write to that folder' : ''}; if production’s whole root can be written to, --writable /.`
      : `Let the image’s user have the right (chown in the Dockerfile). If it is to write there, give --writable ${folder} where production has a tmpfs or volume; if production’s whole root can be written to, --writable /.`,
  });
}
