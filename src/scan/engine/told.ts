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

/** What was told of in the texts that are being looked at, one for each depth, so that it is not told of again. */
export class Told {
  private readonly texts: { serial: number; intervals: Interval[] }[] = [];

  /** The text of this depth is the one with this serial number now. */
  enter(depth: number, serial: number): void {
    if (this.texts[depth]?.serial !== serial) this.texts[depth] = { serial, intervals: [] };
  }

  tell(depth: number, from: number, to: number, secret: number | undefined): void {
    this.texts[depth]!.intervals.push({ from, to, secret });
  }

  /** True where a known value makes up at least half of [from, to) in the text of this depth. */
  hasKnown(depth: number, from: number, to: number): boolean {
    return this.texts[depth]!.intervals.some(
      (interval) =>
        interval.secret !== undefined && 2 * (Math.min(interval.to, to) - Math.max(interval.from, from)) >= to - from,
    );
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
