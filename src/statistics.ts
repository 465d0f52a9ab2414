import type { Summary } from './model/index.ts';

// At n = 5..20 a start-up time has a long right tail and no known distribution, so nothing here assumes one.
// The interval for a median comes from order statistics (the sign test turned round): exact for any continuous
// distribution. A bootstrap of so few samples promises 95 % and holds less; Hodges-Lehmann would need symmetry.
// The price is that coverage comes in steps: 93.75 % at n = 5 (the whole range), 97.9 % at n = 10 (second to ninth).

/** Fewer samples than this can't reach 90 % confidence about a median, so no verdict rests on them. */
export const MIN_SAMPLES = 5;

/** Where a median lies, in the samples' unit. */
export interface Interval {
  low: number;
  high: number;
  /** Exact coverage, 0 to 1: at least 0.95 from six samples on, less below that. */
  confidence: number;
}

/** The difference `after - before` of samples that were taken in pairs, in the samples' unit. */
export interface PairedDelta {
  n: number;
  /** Median of the single differences. */
  median: number;
  /** Interval of that median. */
  interval: Interval;
  /** Median of the single quotients `after / before`. */
  ratio: number;
}

/**
 * The value below which the share `p` (0 to 1) of the samples lies, interpolated linearly between neighbours
 * (Hyndman and Fan's type 7, the default of R and NumPy). Throws a RangeError without samples.
 */
export function percentile(samples: readonly number[], p: number): number {
  return percentileOfSorted(ascending(samples), p);
}

/** Median, quartiles (type 7, see {@link percentile}) and extremes. Throws a RangeError without samples. */
export function summarize(samples: readonly number[]): Summary {
  const sorted = ascending(samples);
  return {
    n: sorted.length,
    median: percentileOfSorted(sorted, 0.5),
    q1: percentileOfSorted(sorted, 0.25),
    q3: percentileOfSorted(sorted, 0.75),
    min: sorted[0]!,
    max: sorted.at(-1)!,
  };
}

/**
 * The narrowest interval between two samples, equally far from both ends, that holds the true median with at least
 * 95 % confidence; the whole range where so few samples can't reach that. Throws a RangeError without samples.
 */
export function medianInterval(samples: readonly number[]): Interval {
  const sorted = ascending(samples);
  const n = sorted.length;
  // With the k lowest and k highest cut off, each side misses the median with the chance that at most k of n coins show
  // heads. In logarithms, because 0.5 ** n is 0 to a computer from n = 1,075 on.
  let logChance = n * Math.log(0.5);
  let missed = Math.exp(logChance);
  let k = 0;
  for (;;) {
    logChance += Math.log((n - k) / (k + 1));
    const chance = Math.exp(logChance);
    if (2 * (missed + chance) > 0.05) break;
    missed += chance;
    k++;
  }
  return { low: sorted[k]!, high: sorted[n - 1 - k]!, confidence: 1 - 2 * missed };
}

/** Compares samples taken in pairs: `before[i]` with `after[i]`. Throws a RangeError without pairs or when one side is longer. */
export function pairedDelta(before: readonly number[], after: readonly number[]): PairedDelta {
  if (before.length !== after.length) {
    throw new RangeError(`Pairs need two sides of equal length, not ${before.length} and ${after.length}.`);
  }
  const differences = after.map((value, index) => value - before[index]!);
  const quotients = after.map((value, index) => value / before[index]!);
  return {
    n: differences.length,
    median: percentile(differences, 0.5),
    interval: medianInterval(differences),
    ratio: percentile(quotients, 0.5),
  };
}

/**
 * Whether two sets of samples, taken independently of each other, can't be told apart: their quartile boxes overlap, or
 * their medians' intervals do (so the interval of the difference includes 0), or either has under {@link MIN_SAMPLES}.
 */
export function withinNoise(one: readonly number[], other: readonly number[]): boolean {
  if (Math.min(one.length, other.length) < MIN_SAMPLES) return true;
  const [boxOne, boxOther] = [summarize(one), summarize(other)];
  if (boxOne.q1 <= boxOther.q3 && boxOther.q1 <= boxOne.q3) return true;
  const [first, second] = [medianInterval(one), medianInterval(other)];
  return first.low <= second.high && second.low <= first.high;
}

function ascending(samples: readonly number[]): number[] {
  if (samples.length === 0) throw new RangeError('There are no samples.');
  return [...samples].sort((a, b) => a - b);
}

function percentileOfSorted(sorted: readonly number[], p: number): number {
  const position = (sorted.length - 1) * Math.min(1, Math.max(0, p));
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (above - below) * (position - Math.floor(position));
}
