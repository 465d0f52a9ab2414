import { chmod, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Gives all that is in a folder, and the folder, the modes that it has in an image: everybody may read it, its owner may
 * write to it, and what its owner may execute everybody may. The umask of who builds then makes no difference.
 */
export async function setImageModes(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await setImageModes(path);
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode & 0o100 ? 0o755 : 0o644);
  }
}
