import { describe, expect, test } from 'vitest';
import type { Report } from '../../src/model/index.ts';
import { compareReports } from '../../src/report/delta.ts';
import { sampleMeasurements, sampleReport } from './report-sample.ts';

const COLD = [842, 829, 851, 838, 866, 845, 833, 859, 840, 848];
const RESTORED = [61, 60, 63, 58, 66, 61, 62, 59, 64, 61];

function verdicts(current: Report, baseline: Report): Record<string, string> {
  return Object.fromEntries(compareReports(current, baseline).map(({ label, verdict }) => [label, verdict]));
}

test('a run against itself shows no difference in anything', () => {
  expect(new Set(Object.values(verdicts(sampleReport(), sampleReport())))).toEqual(new Set(['within noise']));
});

describe('start', () => {
  const withRestored = (restored: number[]) => sampleReport({ measurements: sampleMeasurements(COLD, restored) });

  test('within noise while the quartile boxes overlap', () => {
    const delta = compareReports(withRestored(RESTORED.map((value) => value + 2)), sampleReport())[0];
    expect(delta).toMatchObject({ label: 'Restored start', difference: 2, verdict: 'within noise' });
  });

  test('worse when it is clearly longer, with the difference and its share of the base', () => {
    const delta = compareReports(withRestored(RESTORED.map((value) => value * 2)), sampleReport())[0];
    expect(delta).toMatchObject({ base: 61, current: 122, difference: 61, percent: 100, verdict: 'worse' });
  });

  test('better when it is clearly shorter', () => {
    expect(verdicts(withRestored(RESTORED.map((value) => value / 2)), sampleReport())['Restored start']).toBe('better');
  });

  test('within noise when either run has too few pairs to tell', () => {
    const short = sampleReport({ measurements: sampleMeasurements([842, 850], [900, 910]) });
    expect(verdicts(short, sampleReport())['Restored start']).toBe('within noise');
    expect(verdicts(sampleReport(), short)['Restored start']).toBe('within noise');
  });
});

test.each([
  [1.009, 'within noise'],
  [1.011, 'worse'],
  [0.989, 'better'],
])('a snapshot of %f times the size is %s', (factor, verdict) => {
  const base = sampleReport();
  const current = sampleReport({ snapshot: { ...base.snapshot, bytes: base.snapshot.bytes * factor } });
  expect(verdicts(current, base)['Snapshot size']).toBe(verdict);
});

test('compares the restored side, not the cold one', () => {
  const base = sampleReport();
  const measurements = structuredClone(base.measurements);
  measurements.firstRequestsMicros.cold.p50 *= 3;
  measurements.memoryBytes.cold *= 3;
  measurements.imageBytes.app *= 3;
  expect(new Set(Object.values(verdicts(sampleReport({ measurements }), base)))).toEqual(new Set(['within noise']));
});

test('a base of 0 has no percentage', () => {
  const base = sampleReport();
  const empty = sampleReport({ snapshot: { ...base.snapshot, bytes: 0 } });
  expect(compareReports(base, empty).at(-1)).toMatchObject({ percent: undefined, verdict: 'worse' });
});
