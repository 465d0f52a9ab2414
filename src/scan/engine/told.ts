/** Characters of a text that a sighting covers; `secret` is the index of a known value. */
interface Interval {
  from: number;
  to: number;
  secret: number | undefined;
}

/** Part of the text of a depth with a serial number, from which something was decoded. */
export interface Stretch {
  depth: number;
  serial: number;
  from: number;
  to: number;
}

/** Characters beside a known value that make nothing new of it: quotes, a separator. */
const FEW = 4;

/** What was told of in the texts that are being looked at, one for each depth, so that it is not told of again. */
export class Told {
  private readonly texts: { serial: number; intervals: Interval[] }[] = [];

  /** The text of this depth is the one with this serial number now. */
  enter(depth: number, serial: number): void {
    if (this.texts[depth]?.serial !== serial) this.texts[depth] = { serial, intervals: [] };
  }

  tell(depth: number, from: number, to: number, secret: number | undefined): void {
    const { intervals } = this.texts[depth]!;
    const last = intervals.at(-1);
    // A value that is repeated without end is one interval.
    if (last !== undefined && last.secret === secret && from >= last.from && from <= last.to) {
      last.to = Math.max(last.to, to);
    } else intervals.push({ from, to, secret });
  }

  /**
   * True where known values make up all of [from, to) in the text of this depth, but for a few characters: what else is
   * in a match counts as a secret of its own, whatever becomes of the known ones.
   */
  hasKnown(depth: number, from: number, to: number): boolean {
    let left = to - from;
    let end = from;
    const known = this.texts[depth]!.intervals.filter(
      (interval) => interval.secret !== undefined && interval.from < to && interval.to > from,
    );
    for (const interval of known.sort((a, b) => a.from - b.from)) {
      left -= Math.max(0, Math.min(interval.to, to) - Math.max(interval.from, end));
      end = Math.max(end, interval.to);
    }
    return left <= FEW;
  }

  /**
   * True where something decoded from [from, to) says nothing new: for what rules find, where most of the encoded text
   * there was told of (a PEM key, and the DER in it); for a known value, where it was that very value.
   */
  covers({ depth, serial, from, to }: Stretch, secret: number | undefined): boolean {
    const text = this.texts[depth];
    if (text?.serial !== serial) return false;
    return text.intervals.some((interval) => {
      const common = Math.min(interval.to, to) - Math.max(interval.from, from);
      return secret === undefined ? 2 * common >= to - from : interval.secret === secret && common > 0;
    });
  }
}
