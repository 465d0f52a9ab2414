import { SnapshotError } from '../errors.ts';

/** What can't be restored, collected so that a user is told all of it at once. */
export class Refusals {
  readonly #found = new Map<string, string>();

  /** Notes a thing by its name, with what mends it; a name that is known already adds nothing. */
  add(what: string, fix: string): void {
    if (!this.#found.has(what)) this.#found.set(what, fix);
  }

  /** Throws DS3008 where something was noted. */
  check(): void {
    const found = [...this.#found];
    if (found.length === 0) return;
    const names = found.map(([what]) => what).join('; ');
    const fixes = new Set(found.map(([, fix]) => fix));
    const [only] = fixes;
    if (fixes.size === 1 && only !== undefined)
      throw new SnapshotError('DS3008', `The restore engine can’t restore ${names}.`, { fix: only });
    throw new SnapshotError('DS3008', `The restore engine can’t restore ${found.length} things: ${names}.`, {
      detail: found.map(([what, fix]) => `${what}: ${fix}`).join('\n'),
    });
  }
}
