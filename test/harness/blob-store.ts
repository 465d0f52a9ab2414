import { randomUUID } from 'node:crypto';
import type { LocalAnswer, LocalRequest } from './http.ts';

interface Blob {
  signature: string;
  contentType: string;
  fileName: string | undefined;
  /** Blocks that are not part of the content yet, by id. */
  blocks: Map<string, Buffer>;
  content: Buffer | undefined;
}

/**
 * The part of Azure's blob storage that the toolkit's clients use: a plain PUT, blocks and their list, GET and HEAD, whole
 * or a range. Everything is kept in memory.
 */
export class BlobStore {
  readonly #blobs = new Map<string, Blob>();

  /** A new blob without content. Its path and query are a signed address. */
  create(): { id: string; path: string } {
    const id = randomUUID();
    const signature = randomUUID();
    this.#blobs.set(id, {
      signature,
      contentType: 'application/octet-stream',
      fileName: undefined,
      blocks: new Map(),
      content: undefined,
    });
    // Clients take an address by number for an emulator, where the account is the first part of the path.
    return { id, path: `/results/blobs/${id}?sig=${signature}` };
  }

  /** The signed address for download, under a file name where one is given. */
  downloadPath(id: string, fileName?: string): string {
    const blob = this.#require(id);
    if (fileName !== undefined) blob.fileName = fileName;
    return `/results/blobs/${id}?sig=${blob.signature}`;
  }

  /** What was uploaded; throws where nothing was. */
  content(id: string): Buffer {
    const { content } = this.#require(id);
    if (content === undefined) throw new Error(`Nothing was uploaded to blob ${id}.`);
    return content;
  }

  handle(request: LocalRequest): LocalAnswer {
    const blob = this.#blobs.get(request.url.pathname.replace('/results/blobs/', ''));
    if (!blob) return { status: 404, body: 'BlobNotFound' };
    if (request.url.searchParams.get('sig') !== blob.signature) return { status: 403, body: 'AuthenticationFailed' };
    if (request.method === 'PUT') return put(blob, request);
    if (request.method === 'GET' || request.method === 'HEAD') return get(blob, request);
    return { status: 405, body: request.method };
  }

  #require(id: string): Blob {
    const blob = this.#blobs.get(id);
    if (!blob) throw new Error(`No blob ${id}.`);
    return blob;
  }
}

function put(blob: Blob, { url, headers, body }: LocalRequest): LocalAnswer {
  const created = { status: 201, headers: { etag: `"${randomUUID()}"`, 'last-modified': new Date().toUTCString() } };
  const operation = url.searchParams.get('comp');
  if (operation === 'block') {
    blob.blocks.set(url.searchParams.get('blockid') ?? '', body);
    return created;
  }
  if (operation === 'blocklist') {
    const ids = [...body.toString().matchAll(/<Latest>([^<]+)<\/Latest>/g)].map((match) => match[1]!);
    const blocks = ids.map((id) => blob.blocks.get(id));
    if (blocks.includes(undefined)) return { status: 400, body: 'InvalidBlockList' };
    blob.content = Buffer.concat(blocks as Buffer[]);
  } else if (operation === null && headers['x-ms-blob-type'] === 'BlockBlob') {
    blob.content = body;
  } else {
    return { status: 400, body: `comp=${operation}` };
  }
  blob.contentType = String(headers['x-ms-blob-content-type'] ?? headers['content-type'] ?? blob.contentType);
  return created;
}

function get({ content, contentType, fileName }: Blob, { headers }: LocalRequest): LocalAnswer {
  if (content === undefined) return { status: 404, body: 'BlobNotFound' };
  const disposition = fileName && { 'content-disposition': `attachment; filename="${fileName}"` };
  const common = { 'content-type': contentType, 'accept-ranges': 'bytes', ...disposition };
  const range = /^bytes=(\d+)-(\d*)$/.exec(String(headers['x-ms-range'] ?? headers.range ?? ''));
  if (!range) return { status: 200, headers: common, body: content };
  const first = Number(range[1]);
  const last = Math.min(range[2] ? Number(range[2]) : Number.POSITIVE_INFINITY, content.length - 1);
  if (first > last) return { status: 416, body: 'InvalidRange' };
  return {
    status: 206,
    headers: { ...common, 'content-range': `bytes ${first}-${last}/${content.length}` },
    body: content.subarray(first, last + 1),
  };
}
