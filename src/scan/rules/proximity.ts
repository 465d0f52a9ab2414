import type { RequiredConfig } from './config.ts';
import type { RuleMatch } from './match.ts';

/** Another rule that a match requires, and what it matches in the same text. */
export interface Proximity {
  required: RequiredConfig;
  matches: readonly RuleMatch[];
}

/** True where one of the required rule's matches is within the lines and columns that are asked for. */
export function areNear(text: string, match: RuleMatch, { required, matches }: Proximity): boolean {
  const { withinLines, withinColumns } = required;
  if (withinLines === undefined && withinColumns === undefined) return matches.length > 0;
  const here = placeOf(text, match.matchStart);
  return matches.some((other) => {
    const there = placeOf(text, other.matchStart);
    return (
      (withinLines === undefined || Math.abs(here.line - there.line) <= withinLines) &&
      (withinColumns === undefined || Math.abs(here.column - there.column) <= withinColumns)
    );
  });
}

/** Line, beginning with 1, and column of an index in a text. */
export function placeOf(text: string, index: number): { line: number; column: number } {
  let line = 1;
  let lineStart = 0;
  for (let next = text.indexOf('\n'); next >= 0 && next < index; next = text.indexOf('\n', lineStart)) {
    line++;
    lineStart = next + 1;
  }
  return { line, column: index - lineStart };
}
