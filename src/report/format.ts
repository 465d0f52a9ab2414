// One place for every figure a reader sees: the same on each machine, whatever its locale. A real minus sign (U+2212) and
// a space before the unit; three significant digits or so, because more would be noise.

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** A whole number with commas between the thousands: `12,345`. */
export function formatCount(value: number): string {
  return fixed(value, 0);
}

/** A count with its noun, in the plural unless it is one: `1 clone`, `3 clones`. */
export function formatCounted(value: number, noun: string, plural = `${noun}s`): string {
  return `${formatCount(value)} ${value === 1 ? noun : plural}`;
}

/** Milliseconds, with decimals only where they tell something: `842 ms`, `9.4 ms`, `0.62 ms`. */
export function formatMs(millis: number): string {
  return `${fixed(millis, decimals(millis))} ms`;
}

/** From `low` to `high` milliseconds, in the precision of the larger: `830–861 ms`; one figure where they look the same. */
export function formatMsRange(low: number, high: number): string {
  const digits = decimals(Math.max(Math.abs(low), Math.abs(high)));
  const [from, to] = [fixed(low, digits), fixed(high, digits)];
  // Beside a minus sign a dash would be read as another one.
  const dash = low < 0 || high < 0 ? ' to ' : '–';
  return from === to ? `${to} ms` : `${from}${dash}${to} ms`;
}

/** A figure on an axis whose ticks are `step` apart, with just the decimals that the step needs: `1,000`, `0.2`. */
export function formatTick(value: number, step: number): string {
  return fixed(value, Math.max(0, -Math.floor(Math.log10(step))));
}

/** Microseconds, shown in milliseconds so that a report has one unit of time, with three digits: `38.5 ms`, `1.24 ms`. */
export function formatMicros(micros: number): string {
  const size = Math.abs(micros);
  return `${fixed(micros / 1000, size < 9_995 ? 2 : size < 99_950 ? 1 : 0)} ms`;
}

/** How long a stage took, given in milliseconds: `412 ms`, `12.4 s`, `2 min 5 s`. */
export function formatDuration(millis: number): string {
  if (millis < 999.5) return `${fixed(millis, 0)} ms`;
  if (millis < 59_950) return `${fixed(millis / 1000, 1)} s`;
  const seconds = Math.round(millis / 1000);
  return `${formatCount(Math.floor(seconds / 60))} min ${seconds % 60} s`;
}

/** Bytes in binary units: `38.2 MiB`, `512 B`, `1.25 GiB`. */
export function formatBytes(bytes: number): string {
  const size = Math.abs(bytes);
  if (size < KIB) return `${fixed(bytes, 0)} B`;
  if (size < 0.1 * MIB) return `${fixed(bytes / KIB, 1)} KiB`;
  if (size < GIB) return `${fixed(bytes / MIB, 1)} MiB`;
  return `${fixed(bytes / GIB, 2)} GiB`;
}

/** A quotient as a factor: `13.8x`, `1.07x`, `240x`. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return '∞x';
  return `${fixed(ratio, ratio < 1.995 ? 2 : ratio < 99.95 ? 1 : 0)}x`;
}

/** The change from `base` to `current` in percent, with its sign: `−92.8 %`; `n/a` where the base is 0. */
export function formatChange(base: number, current: number): string {
  if (base === 0) return current === 0 ? '0.0 %' : 'n/a';
  const percent = (100 * (current - base)) / base;
  return `${signed(percent, (value) => fixed(value, value < 99.95 ? 1 : 0))} %`;
}

/** A difference with its sign, its size formatted by `format`: `+2.1 MiB`, `−781 ms`. */
export function formatDifference(difference: number, format: (size: number) => string): string {
  return signed(difference, format);
}

function signed(value: number, format: (size: number) => string): string {
  const text = format(Math.abs(value));
  // What rounds to zero has no direction.
  const sign = /[1-9]/.test(text) ? (value < 0 ? '−' : '+') : '';
  return sign + text;
}

function decimals(millis: number): number {
  const size = Math.abs(millis);
  if (size >= 9.95 || size === 0) return 0;
  return size >= 0.995 ? 1 : 2;
}

function fixed(value: number, digits: number): string {
  const [whole = '', fraction] = Math.abs(value).toFixed(digits).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const text = fraction === undefined ? grouped : `${grouped}.${fraction}`;
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}
