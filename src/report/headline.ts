import type { Report } from '../model/index.ts';
import { MIN_SAMPLES, type PairedDelta, pairedDelta } from '../statistics.ts';
import { formatMs, formatRatio } from './format.ts';

/** What a restore does to the start: told by the single pairs, not by the medians alone. */
export type StartupVerdict = 'faster' | 'slower' | 'within noise';

/** The restored start against the cold one, over the report's pairs; undefined where there are none. */
export function startupDelta(report: Report): PairedDelta | undefined {
  const { pairs } = report.measurements;
  if (pairs.length === 0) return undefined;
  return pairedDelta(
    pairs.map((pair) => pair.coldMs),
    pairs.map((pair) => pair.restoredMs),
  );
}

/**
 * Faster or slower where the medians say so and the interval of the paired difference agrees. With very few pairs the
 * direction is all that is known; {@link startupCaveats} says so.
 */
export function startupVerdict(report: Report): StartupVerdict {
  const { cold, restored } = report.measurements.startupMs;
  const interval = startupDelta(report)?.interval;
  if (restored.median < cold.median && !(interval && interval.high >= 0)) return 'faster';
  if (restored.median > cold.median && !(interval && interval.low <= 0)) return 'slower';
  return 'within noise';
}

/** The report in one sentence; `name` is the app's name as the medium writes it. */
export function headline(report: Report, name: string): string {
  const { cold, restored } = report.measurements.startupMs;
  const [before, after] = [formatMs(cold.median), formatMs(restored.median)];
  const verdict = startupVerdict(report);
  if (verdict === 'within noise') {
    return `${name} starts in ${after} restored and ${before} cold: no difference beyond the noise.`;
  }
  const ratio = verdict === 'faster' ? cold.median / restored.median : restored.median / cold.median;
  const factor = ratio < 1.01 ? 'less than 1 %' : formatRatio(ratio);
  return `${name} starts in ${after} instead of ${before}: ${factor} ${verdict}.`;
}

/** What a reader must know before trusting or using the headline, each a sentence; mostly none. */
export function startupCaveats(report: Report): string[] {
  const verdict = startupVerdict(report);
  const pairs = report.measurements.pairs.length;
  const caveats: string[] = [];
  if (verdict === 'slower')
    caveats.push('Restoring this app is slower than starting it; its own image is the better choice.');
  if (pairs < MIN_SAMPLES) {
    const measured = pairs === 1 ? 'Only one pair of starts was' : `Only ${pairs} pairs of starts were`;
    caveats.push(`${measured} measured; it takes ${MIN_SAMPLES} to tell a difference from noise.`);
  }
  if (report.warmup.rounds === 0) {
    // An app that is sent no requests needs nothing for them.
    if (report.measurements.firstRequestsMicros.restored.n > 0)
      caveats.push('The app was warmed by no traffic: what its requests need is compiled after each restore.');
  } else if (!report.warmup.steady) {
    caveats.push('The warmup reached its limit of rounds while the JIT was still compiling; more rounds may help.');
  }
  if (report.warmup.caveat !== undefined) caveats.push(report.warmup.caveat);
  return caveats;
}
