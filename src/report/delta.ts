import type { Report } from '../model/index.ts';
import { withinNoise } from '../statistics.ts';

/** How a value compares with the base branch's. Lower is better for all of them. */
export type Verdict = 'better' | 'worse' | 'within noise';

/** One value of a report against the same value of its baseline. */
export interface Delta {
  /** What a reader sees, e.g. `Restored start`. */
  label: string;
  unit: 'ms' | 'us' | 'bytes';
  /** Values in `unit`. */
  base: number;
  current: number;
  /** `current - base`, in `unit`. */
  difference: number;
  /** The difference in percent of the base; undefined where the base is 0. */
  percent: number | undefined;
  verdict: Verdict;
}

interface Metric {
  label: string;
  unit: Delta['unit'];
  value: (report: Report) => number;
  /** Samples whose spread decides; or the share of the base up to which a change counts as noise. */
  noise: ((report: Report) => number[]) | number;
}

// A report keeps every start but only medians of the rest, so for those a fixed share decides. Sizes repeat exactly but for
// timestamps and compression; memory depends on when the collector last ran; the p99 of 100 requests is one or two
// requests. The shares are wide on purpose: a false alarm costs more trust than a small change seen late.
const METRICS: Metric[] = [
  {
    label: 'Restored start',
    unit: 'ms',
    value: (report) => report.measurements.startupMs.restored.median,
    noise: (report) => report.measurements.pairs.map((pair) => pair.restoredMs),
  },
  {
    label: 'Cold start',
    unit: 'ms',
    value: (report) => report.measurements.startupMs.cold.median,
    noise: (report) => report.measurements.pairs.map((pair) => pair.coldMs),
  },
  {
    label: 'First requests, p50',
    unit: 'us',
    value: (report) => report.measurements.firstRequestsMicros.restored.p50,
    noise: 0.1,
  },
  {
    label: 'First requests, p99',
    unit: 'us',
    value: (report) => report.measurements.firstRequestsMicros.restored.p99,
    noise: 0.25,
  },
  { label: 'Memory', unit: 'bytes', value: (report) => report.measurements.memoryBytes.restored, noise: 0.05 },
  { label: 'Image size', unit: 'bytes', value: (report) => report.measurements.imageBytes.restoreReady, noise: 0.01 },
  { label: 'Snapshot size', unit: 'bytes', value: (report) => report.snapshot.bytes, noise: 0.01 },
];

/**
 * Compares a report with its baseline: both starts, then first requests, memory and sizes of the restored app. A start
 * differs when neither its quartile boxes nor its medians' intervals overlap the baseline's; the rest by a fixed share.
 */
export function compareReports(current: Report, baseline: Report): Delta[] {
  return METRICS.map((metric) => {
    const [base, now] = [metric.value(baseline), metric.value(current)];
    const difference = now - base;
    return {
      label: metric.label,
      unit: metric.unit,
      base,
      current: now,
      difference,
      percent: base === 0 ? undefined : (100 * difference) / base,
      verdict: isNoise(metric, current, baseline) ? 'within noise' : difference < 0 ? 'better' : 'worse',
    };
  });
}

function isNoise({ value, noise }: Metric, current: Report, baseline: Report): boolean {
  const [base, now] = [value(baseline), value(current)];
  if (typeof noise === 'number') return Math.abs(now - base) <= noise * base;
  const [before, after] = [noise(baseline), noise(current)];
  return now === base || before.length === 0 || after.length === 0 || withinNoise(before, after);
}
