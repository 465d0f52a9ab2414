/** Stretches of a text that are taken; none overlaps another. */
export class Accepted {
  private readonly starts: number[] = [];
  private readonly ends: number[] = [];

  /** Takes `[start, end)` unless part of it is taken. */
  add(start: number, end: number): boolean {
    let low = 0;
    let high = this.ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ends[middle]! <= start) low = middle + 1;
      else high = middle;
    }
    if (low < this.starts.length && this.starts[low]! < end) return false;
    this.starts.splice(low, 0, start);
    this.ends.splice(low, 0, end);
    return true;
  }
}
