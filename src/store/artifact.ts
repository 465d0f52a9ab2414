import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DefaultArtifactClient, type UploadArtifactOptions } from '@actions/artifact';
import { SnapshotError } from '../errors.ts';

/** What becomes an artifact of the workflow run. */
export interface ArtifactUpload {
  /** Artifact name; the archive's ending is added where it is missing. */
  name: string;
  /** A packed snapshot, `.tar.zst` or `.tar.gz`. */
  file: string;
  /** Days until the artifact is deleted; the repository's own setting when absent. */
  retentionDays?: number;
}

/** An artifact as the service stored it. */
export interface StoredArtifact {
  id: number;
  /** The name to download it by, ending included. */
  name: string;
  /** `sha256:` and hex of the archive. */
  digest?: string;
  /** In bytes. */
  size: number;
}

/** Uploads one archive, as it is, as an artifact of this workflow run. Throws DS6001. */
export async function uploadArtifact({ name, file, retentionDays }: ArtifactUpload): Promise<StoredArtifact> {
  const ending = /\.tar\.\w+$/.exec(file)?.[0] ?? '';
  const artifactName = name.endsWith(ending) ? name : name + ending;
  if (basename(artifactName) !== artifactName) {
    throw new SnapshotError('DS6001', `“${name}” can’t be the name of an artifact.`, {
      fix: 'Choose one without slashes.',
    });
  }
  // A zip would lose the files' modes. An artifact that isn't zipped is named after its file: hence the link.
  const folder = await mkdtemp(join(dirname(resolve(file)), 'artifact-'));
  try {
    const link = join(folder, artifactName);
    await symlink(resolve(file), link);
    const options: UploadArtifactOptions = { skipArchive: true, ...(retentionDays && { retentionDays }) };
    const { id, digest, size } = await new DefaultArtifactClient().uploadArtifact(
      artifactName,
      [link],
      folder,
      options,
    );
    if (id === undefined) throw new Error('The artifact service answered without an id.');
    return { id, name: artifactName, size: size ?? 0, ...(digest && { digest: `sha256:${digest}` }) };
  } catch (error) {
    throw uploadError(artifactName, error);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function uploadError(name: string, error: unknown): SnapshotError {
  const detail = error instanceof Error ? error.message : String(error);
  if (detail.includes('(409)')) {
    return new SnapshotError('DS6001', `This run already has an artifact named ${name}.`, {
      fix: 'Set artifact-name to a name that each job of the run has for itself, for example with the matrix’s values in it.',
      detail,
    });
  }
  return new SnapshotError('DS6001', `The snapshot could not be stored as artifact ${name}.`, { detail });
}
