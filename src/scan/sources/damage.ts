import { SnapshotError } from '../../errors.ts';

/** DS4002 for a file that can't be read whole: what is not read can't be called clean. `detail` holds no content. */
export function damaged(file: string, why: string, options: { detail?: string; fix?: string } = {}): SnapshotError {
  return new SnapshotError('DS4002', `${file}: ${why}`, options);
}
