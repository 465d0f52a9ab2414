/** The last lines of a text. */
export function tail(text: string, lines: number): string {
  return text.trimEnd().split('\n').slice(-lines).join('\n');
}

/** The text before and after the first separator; all of it and nothing where there is none. */
export function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** RFC 3339 with nanoseconds to milliseconds since the epoch; Date alone drops all below one millisecond. */
export function parseTimestamp(text: string): number {
  const fraction = /\.(\d+)/.exec(text)?.[1] ?? '';
  const seconds = Date.parse(text.replace(/\.\d+/, ''));
  return seconds + Number(`0.${fraction || 0}`) * 1000;
}

/** Bytes of what Docker prints as `12.5MiB`; NaN for what is no size. */
export function parseSize(text: string): number {
  const [, number, unit] = /^([\d.]+)([KMGT]?i?B)/.exec(text) ?? [];
  const powers: Record<string, number> = { B: 0, KiB: 1, MiB: 2, GiB: 3, TiB: 4 };
  return Math.round(Number(number ?? Number.NaN) * 1024 ** (powers[unit ?? ''] ?? Number.NaN));
}
