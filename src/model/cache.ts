/** A folder that is kept between runs under a key, where an entry never changes. */
export interface FolderCache {
  /** The same path in every run: it is part of an entry's identity. */
  directory: string;
  /** Fills the directory; false where there is no entry of that key. Never throws. */
  restore(key: string): Promise<boolean>;
  /** Keeps the directory; only warns where it can't. */
  save(key: string): Promise<void>;
}
