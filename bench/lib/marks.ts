import type { Cell } from '../../test/unit/scan/recall.ts';

/** Characters in a row that belong to one planted secret and to nothing else. */
const GRAM = 12;

/**
 * Tells which secrets a program has found from what it prints of them, whichever part of them that is: as stored, with
 * the zeros of UTF-16 or without, or decoded. What surrounds secrets of a kind is the same for all and counts for none.
 */
export class Marks {
  readonly #owners = new Map<string, Cell | undefined>();

  constructor(cells: readonly Cell[]) {
    for (const cell of cells) {
      const own = new Set<string>();
      const { plain } = cell.planted;
      for (const text of [plain, cell.stored].map((value) => Buffer.from(value as string).toString('latin1')))
        for (const variant of [text, text.replaceAll('\0', '')])
          for (let at = 0; at + GRAM <= variant.length; at++) own.add(variant.slice(at, at + GRAM));
      for (const gram of own) this.#owners.set(gram, this.#owners.has(gram) ? undefined : cell);
    }
  }

  /** The secrets that something of is in the output. */
  foundIn(output: string): Set<Cell> {
    const found = new Set<Cell>();
    const text = output.replaceAll('\0', '');
    for (let at = 0; at + GRAM <= text.length; at++) {
      const owner = this.#owners.get(text.slice(at, at + GRAM));
      if (owner) found.add(owner);
    }
    return found;
  }
}
