import { describe, expect, test } from 'vitest';
import { medianInterval, pairedDelta, percentile, summarize, withinNoise } from '../../src/statistics.ts';

describe('summarize', () => {
  test('gives median, type 7 quartiles and extremes, whatever the order', () => {
    expect(summarize([40, 10, 30, 20])).toEqual({ n: 4, median: 25, q1: 17.5, q3: 32.5, min: 10, max: 40 });
  });

  test('sorts by value, not by digits', () => {
    expect(summarize([9, 100, 20]).median).toBe(20);
  });

  test('leaves the samples as they were', () => {
    const samples = [3, 1, 2];
    summarize(samples);
    expect(samples).toEqual([3, 1, 2]);
  });

  test('refuses to summarize nothing', () => {
    expect(() => summarize([])).toThrow(RangeError);
  });
});

test('percentile interpolates as NumPy does', () => {
  const oneToHundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect(percentile(oneToHundred, 0.99)).toBeCloseTo(99.01);
  expect(percentile(oneToHundred, 0)).toBe(1);
  expect(percentile(oneToHundred, 1)).toBe(100);
});

describe('medianInterval', () => {
  // Ranks and coverage as in tables of the sign test (e.g. Conover, Practical Nonparametric Statistics).
  test.each([
    [1, 1, 1, 0],
    [5, 1, 5, 0.9375],
    [6, 1, 6, 0.96875],
    [8, 1, 8, 0.9921875],
    [10, 2, 9, 0.978515625],
    [20, 6, 15, 0.958610534667],
  ])('of %i samples spans ranks %i to %i', (n, low, high, confidence) => {
    const ranks = Array.from({ length: n }, (_, index) => index + 1);
    const interval = medianInterval(ranks);
    expect([interval.low, interval.high]).toEqual([low, high]);
    expect(interval.confidence).toBeCloseTo(confidence, 10);
  });

  test('copes with more samples than a double has powers of two', () => {
    const interval = medianInterval(Array.from({ length: 2001 }, (_, index) => index));
    expect(interval.low).toBeGreaterThan(950);
    expect(interval.high).toBeLessThan(1050);
    expect(interval.confidence).toBeGreaterThanOrEqual(0.95);
  });
});

describe('pairedDelta', () => {
  test('compares within each pair, so a slow machine on both sides cancels out', () => {
    const cold = [100, 200, 300, 400, 500, 600];
    const delta = pairedDelta(
      cold,
      cold.map((value) => value - 10),
    );
    expect(delta).toMatchObject({ n: 6, median: -10, interval: { low: -10, high: -10 } });
  });

  test('has an interval around 0 when the pairs disagree', () => {
    const { interval } = pairedDelta([10, 10, 10, 10, 10, 10], [11, 9, 12, 8, 11, 9]);
    expect(interval.low).toBeLessThan(0);
    expect(interval.high).toBeGreaterThan(0);
  });

  test('refuses sides of unequal length', () => {
    expect(() => pairedDelta([1, 2], [1])).toThrow(RangeError);
  });
});

describe('withinNoise', () => {
  test('five clearly apart samples differ', () => {
    expect(withinNoise([10, 11, 12, 13, 14], [20, 21, 22, 23, 24])).toBe(false);
  });

  test('four can never differ, however far apart', () => {
    expect(withinNoise([10, 11, 12, 13], [900, 901, 902, 903])).toBe(true);
  });

  test('apart boxes with overlapping ranges do not differ at five samples', () => {
    expect(withinNoise([10, 11, 12, 13, 25], [20, 21, 22, 23, 24])).toBe(true);
  });

  test('one outlier does not hide a difference at ten samples', () => {
    const base = [60, 61, 62, 60, 61, 62, 60, 61, 62, 400];
    expect(
      withinNoise(
        base,
        base.map((value) => value + 20),
      ),
    ).toBe(false);
  });

  test('many samples do not make a difference of two broad, overlapping boxes', () => {
    const base = Array.from({ length: 81 }, (_, index) => 100 + index);
    const current = base.map((value) => value + 25);
    expect(medianInterval(base).high).toBeLessThan(medianInterval(current).low);
    expect(withinNoise(base, current)).toBe(true);
  });
});
