import { createHash } from 'node:crypto';
import { BlobStore } from './blob-store.ts';
import { type LocalAnswer, type LocalRequest, type LocalServer, serve } from './http.ts';
import { type CacheScope, type RuntimeClaims, readRuntimeToken } from './runtime-token.ts';

/** An artifact that a run has uploaded. */
export interface UploadedArtifact {
  id: number;
  run: string;
  name: string;
  mimeType: string | undefined;
  /** `sha256:` and hex, as the client said and the service checked. */
  digest: string | undefined;
  expiresAt: string | undefined;
  content: Buffer;
}

/** An entry of the cache. */
export interface CacheEntry {
  id: number;
  key: string;
  /** Hash of the paths and the compression, made by the client. */
  version: string;
  scope: string;
  content: Buffer;
}

interface Stored<T> {
  item: T;
  blob: string;
  done: boolean;
}

type Fields = Record<string, unknown>;

/**
 * The results service as a runner's jobs see it: artifacts and the cache, for the toolkit's own clients. It refuses what
 * the real one refuses: a missing token, a second artifact of a name in a run, a change of a cache entry, an entry in a
 * scope that the token may not write to. Retention, quotas and eviction are not part of it.
 */
export class ResultsService {
  readonly #blobs = new BlobStore();
  readonly #artifacts: Stored<Omit<UploadedArtifact, 'content'>>[] = [];
  readonly #caches: Stored<Omit<CacheEntry, 'content'>>[] = [];
  #server: LocalServer | undefined;
  #nextId = 1;

  /** Starts a service with nothing in it. */
  static async start(): Promise<ResultsService> {
    const service = new ResultsService();
    service.#server = await serve((request) => service.#handle(request));
    return service;
  }

  /** For ACTIONS_RESULTS_URL. */
  get url(): string {
    return `${this.#server?.url}/`;
  }

  /** Complete artifacts, oldest first. */
  get artifacts(): UploadedArtifact[] {
    return this.#artifacts
      .filter(({ done }) => done)
      .map(({ item, blob }) => ({ ...item, content: this.#blobs.content(blob) }));
  }

  /** Complete cache entries, oldest first. */
  get caches(): CacheEntry[] {
    return this.#caches
      .filter(({ done }) => done)
      .map(({ item, blob }) => ({ ...item, content: this.#blobs.content(blob) }));
  }

  /** Ends the service; what it holds can still be looked at. */
  async close(): Promise<void> {
    await this.#server?.close();
  }

  #handle(request: LocalRequest): LocalAnswer {
    const call = /^\/twirp\/github\.actions\.results\.api\.v1\.(\w+)\/(\w+)$/.exec(request.url.pathname);
    if (!call) return this.#blobs.handle(request);
    const claims = readRuntimeToken(request.headers.authorization);
    if (!claims) return refuse(401, 'unauthenticated', 'no valid runtime token');
    const fields = JSON.parse(request.body.toString()) as Fields;
    switch (`${call[1]}.${call[2]}`) {
      case 'ArtifactService.CreateArtifact':
        return this.#createArtifact(fields, claims);
      case 'ArtifactService.FinalizeArtifact':
        return this.#finalizeArtifact(fields, claims);
      case 'ArtifactService.ListArtifacts':
        return this.#listArtifacts(fields, claims);
      case 'ArtifactService.GetSignedArtifactURL':
        return this.#signArtifact(fields, claims);
      case 'ArtifactService.DeleteArtifact':
        return this.#deleteArtifact(fields, claims);
      case 'CacheService.CreateCacheEntry':
        return this.#createCache(fields, claims.scopes);
      case 'CacheService.FinalizeCacheEntryUpload':
        return this.#finalizeCache(fields, claims.scopes);
      case 'CacheService.GetCacheEntryDownloadURL':
        return this.#findCache(fields, claims.scopes);
      default:
        return refuse(404, 'bad_route', request.url.pathname);
    }
  }

  #createArtifact(fields: Fields, { run }: RuntimeClaims): LocalAnswer {
    const name = String(fields.name);
    if (this.#artifact(run, name)) {
      return refuse(409, 'already_exists', 'an artifact with this name already exists on the workflow run');
    }
    const { id: blob, path } = this.#blobs.create();
    const item = {
      id: this.#nextId++,
      run,
      name,
      mimeType: optionalText(fields.mime_type),
      digest: undefined,
      expiresAt: optionalText(fields.expires_at),
    };
    this.#artifacts.push({ item, blob, done: false });
    return { status: 200, body: { ok: true, signed_upload_url: this.#server?.url + path } };
  }

  #finalizeArtifact(fields: Fields, { run }: RuntimeClaims): LocalAnswer {
    const artifact = this.#artifact(run, String(fields.name));
    if (!artifact) return refuse(404, 'not_found', 'no such artifact');
    const content = this.#blobs.content(artifact.blob);
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const claimed = optionalText(fields.hash);
    if (Number(fields.size) !== content.length) return refuse(400, 'invalid_argument', 'size mismatch');
    if (claimed !== undefined && claimed !== digest) return refuse(400, 'invalid_argument', 'hash mismatch');
    artifact.item.digest = claimed;
    artifact.done = true;
    return { status: 200, body: { ok: true, artifact_id: String(artifact.item.id) } };
  }

  #listArtifacts(fields: Fields, { run, job }: RuntimeClaims): LocalAnswer {
    const name = optionalText(fields.name_filter);
    const id = optionalText(fields.id_filter);
    const artifacts = this.artifacts
      .filter((artifact) => artifact.run === run)
      .filter((artifact) => name === undefined || artifact.name === name)
      .filter((artifact) => id === undefined || String(artifact.id) === id)
      .map((artifact) => ({
        workflow_run_backend_id: run,
        workflow_job_run_backend_id: job,
        database_id: String(artifact.id),
        name: artifact.name,
        size: String(artifact.content.length),
        ...(artifact.digest && { digest: artifact.digest }),
      }));
    return { status: 200, body: { artifacts } };
  }

  #signArtifact(fields: Fields, { run }: RuntimeClaims): LocalAnswer {
    const artifact = this.#artifact(run, String(fields.name));
    if (!artifact?.done) return refuse(404, 'not_found', 'no such artifact');
    const { name, mimeType } = artifact.item;
    const path = this.#blobs.downloadPath(artifact.blob, mimeType === 'application/zip' ? `${name}.zip` : name);
    return { status: 200, body: { signed_url: this.#server?.url + path } };
  }

  #deleteArtifact(fields: Fields, { run }: RuntimeClaims): LocalAnswer {
    const artifact = this.#artifact(run, String(fields.name));
    if (!artifact) return refuse(404, 'not_found', 'no such artifact');
    this.#artifacts.splice(this.#artifacts.indexOf(artifact), 1);
    return { status: 200, body: { ok: true, artifact_id: String(artifact.item.id) } };
  }

  #artifact(run: string, name: string) {
    return this.#artifacts.find(({ item }) => item.run === run && item.name === name);
  }

  #createCache(fields: Fields, scopes: CacheScope[]): LocalAnswer {
    const [key, version] = [String(fields.key), String(fields.version)];
    const scope = writableScope(scopes);
    if (scope === undefined) {
      return { status: 200, body: { ok: false, message: 'cache write denied: the token is read-only' } };
    }
    if (this.#cache(key, version, scope)) {
      return refuse(409, 'already_exists', 'cache entry with the same key, version, and scope already exists');
    }
    const { id: blob, path } = this.#blobs.create();
    this.#caches.push({ item: { id: this.#nextId++, key, version, scope }, blob, done: false });
    return { status: 200, body: { ok: true, signed_upload_url: this.#server?.url + path } };
  }

  #finalizeCache(fields: Fields, scopes: CacheScope[]): LocalAnswer {
    const entry = this.#cache(String(fields.key), String(fields.version), writableScope(scopes));
    if (!entry || entry.done) return refuse(404, 'not_found', 'no such cache entry is being uploaded');
    if (Number(fields.size_bytes) !== this.#blobs.content(entry.blob).length) {
      return refuse(400, 'invalid_argument', 'size mismatch');
    }
    entry.done = true;
    return { status: 200, body: { ok: true, entry_id: String(entry.item.id) } };
  }

  /** Scope by scope: the exact key, then whatever begins with it or with a restore key, the newest first. */
  #findCache(fields: Fields, scopes: CacheScope[]): LocalAnswer {
    const key = String(fields.key);
    const prefixes = [key, ...((fields.restore_keys as string[] | undefined) ?? [])];
    const newestFirst = this.#caches.filter(({ item, done }) => done && item.version === fields.version).reverse();
    for (const { scope, permission } of scopes) {
      if ((permission & READ) === 0) continue;
      const entries = newestFirst.filter(({ item }) => item.scope === scope);
      const found =
        entries.find(({ item }) => item.key === key) ??
        prefixes.flatMap((prefix) => entries.filter(({ item }) => item.key.startsWith(prefix)))[0];
      if (!found) continue;
      const path = this.#blobs.downloadPath(found.blob);
      return {
        status: 200,
        body: { ok: true, signed_download_url: this.#server?.url + path, matched_key: found.item.key },
      };
    }
    return { status: 200, body: { ok: false } };
  }

  #cache(key: string, version: string, scope: string | undefined) {
    return this.#caches.find(({ item }) => item.key === key && item.version === version && item.scope === scope);
  }
}

const READ = 1;
const WRITE = 2;

function writableScope(scopes: CacheScope[]): string | undefined {
  return scopes.find(({ permission }) => (permission & WRITE) !== 0)?.scope;
}

/** JSON of protobuf has the wrapper types (StringValue, Int64Value, Timestamp) as plain strings. */
function optionalText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function refuse(status: number, code: string, msg: string): LocalAnswer {
  return { status, body: { code, msg } };
}
