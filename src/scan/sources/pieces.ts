/** The piece that holds `offset`, of pieces in order of their offsets; undefined in a gap. */
export function pieceAt<T extends { offset: number; length: number }>(
  pieces: readonly T[],
  offset: number,
): T | undefined {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const piece = pieces[middle]!;
    if (offset < piece.offset) high = middle;
    else if (offset >= piece.offset + piece.length) low = middle + 1;
    else return piece;
  }
  return undefined;
}
