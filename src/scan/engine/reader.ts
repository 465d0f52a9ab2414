import { closeSync, openSync, readSync } from 'node:fs';
import { SnapshotError } from '../../errors.ts';

/** Reads pieces of files, keeping the last file open. */
export class Reader {
  private path: string | undefined;
  private fd = -1;

  /** Fills `bytes` from `offset` of the file at `path` on. Throws DS4002 where it ends before or can't be read. */
  read(name: string, path: string, offset: number, bytes: Buffer): void {
    try {
      if (path !== this.path) this.open(path);
      for (let got = 0; got < bytes.length; ) {
        const count = readSync(this.fd, bytes, got, bytes.length - got, offset + got);
        if (count === 0) throw new SnapshotError('DS4002', `${name}: it ends before its last page`);
        got += count;
      }
    } catch (error) {
      if (error instanceof SnapshotError) throw error;
      throw new SnapshotError('DS4002', `${name}: it can not be read`, { detail: String(error) });
    }
  }

  close(): void {
    if (this.path !== undefined) closeSync(this.fd);
    this.path = undefined;
  }

  private open(path: string): void {
    this.close();
    this.fd = openSync(path, 'r');
    this.path = path;
  }
}
