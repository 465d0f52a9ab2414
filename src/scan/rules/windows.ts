/** Characters that a pattern is applied to at a time, context not counted. */
const PIECE = 256 * 1024;

/** Context on both sides of a piece. No match of a rule that makes sense is longer. */
const CONTEXT = 64 * 1024;

/** Characters beyond the longest match on both sides of a window, so that no match ends with the window. */
const MARGIN = 2;

/** Characters at the end of a stretch that tell, where nothing breaks them, of a secret that goes on behind it. */
const RUN = 8 * 1024;
const UNBROKEN = /^[\w+/=.~%\\\r\n\t-]*$/;

/** Part of a text, with the context that matches at its edges need. */
export interface Window {
  text: string;
  /** Index of its first character in the whole text. */
  start: number;
  /** What begins in `[from, to)` of the whole text and ends by `end` counts; the rest is context. */
  from: number;
  to: number;
  end: number;
}

/** Stretches of a text around the places of keywords, joined where they touch. Places are to be added in order. */
export class Stretches {
  private readonly bounds: number[] = [];
  private readonly before: number;
  private readonly after: number;

  /** `before` and `after`: characters from a keyword to the ends of a match that holds it. */
  constructor(before: number, after: number) {
    this.before = before + MARGIN;
    this.after = after + MARGIN;
  }

  /** Adds the surroundings of the keyword at `[start, end)`. */
  add(start: number, end: number): void {
    const from = Math.max(0, end - this.before);
    const to = start + this.after;
    const last = this.bounds.length - 1;
    if (last > 0 && from <= this.bounds[last]!) this.bounds[last] = Math.max(this.bounds[last]!, to);
    else this.bounds.push(from, to);
  }

  /**
   * The stretches of `text`, long ones in pieces. A match at the edge of one may be cut off, so it doesn't count; where a
   * long one may stand there, more context lets it end.
   */
  *windowsOf(text: string): Generator<Window> {
    for (let index = 0; index < this.bounds.length; index += 2) {
      const start = this.bounds[index]!;
      const end = Math.min(this.bounds[index + 1]!, text.length);
      const goesOn = end - start >= RUN && end < text.length && UNBROKEN.test(text.slice(end - RUN, end));
      yield* piecesOf(text, start, end, goesOn ? Math.min(end + CONTEXT, text.length) : end);
    }
  }
}

/**
 * A whole text or a stretch of one in pieces, so that the memory that a pattern takes does not grow with it. What begins
 * before `end` counts up to `contextEnd`.
 */
export function* piecesOf(text: string, start = 0, end = text.length, contextEnd = end): Generator<Window> {
  for (let from = start; from < end; from += PIECE) {
    const first = Math.max(start, from - CONTEXT);
    const to = Math.min(end, from + PIECE);
    const last = Math.min(contextEnd, to + CONTEXT);
    yield {
      text: first === 0 && last === text.length ? text : text.slice(first, last),
      start: first,
      from: from === start && start > 0 ? from + 1 : from,
      to,
      end: contextEnd === text.length ? contextEnd : contextEnd - 1,
    };
  }
}
