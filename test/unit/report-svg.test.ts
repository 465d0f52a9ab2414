import { describe, expect, test } from 'vitest';
import { renderStartupSvg } from '../../src/report/svg.ts';
import { sampleMeasurements, sampleReport } from './report-sample.ts';

const CASES: Record<string, [cold: number[], restored: number[]]> = {
  'ordinary starts': [
    [842, 829, 851, 838, 866],
    [61, 60, 63, 58, 66],
  ],
  'equal samples': [
    [50, 50, 50, 50, 50],
    [50, 50, 50, 50, 50],
  ],
  'a single pair': [[842], [61]],
  'a huge ratio': [
    [95_000, 96_000, 94_500],
    [0.4, 0.5, 0.6],
  ],
  'starts under a millisecond': [
    [0.31, 0.32],
    [0.02, 0.03],
  ],
  'starts of zero': [[0], [0]],
};

/** Names of the elements whose tags don't pair up, and texts with a stray ampersand or bracket. */
function defectsOf(xml: string): string[] {
  const open: string[] = [];
  const defects: string[] = [];
  const withoutTags = xml.replace(
    /<(\/?)([a-z]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/gi,
    (_, close, name, _rest, empty) => {
      if (close && open.pop() !== name) defects.push(name);
      if (!close && !empty) open.push(name);
      return '';
    },
  );
  if (/[<]|&(?!#\d+;)/.test(withoutTags)) defects.push('text');
  return [...defects, ...open];
}

function attributes(svg: string, element: string, name: string): number[] {
  return [...svg.matchAll(new RegExp(`<${element}[^>]*? ${name}="([^"]*)"`, 'g'))].map((match) => Number(match[1]));
}

describe.each(Object.entries(CASES))('%s', (_name, [cold, restored]) => {
  const svg = renderStartupSvg(sampleReport({ measurements: sampleMeasurements(cold, restored) }));

  test('is well-formed and free of impossible numbers', () => {
    expect(defectsOf(svg)).toEqual([]);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|="-/);
  });

  test('shows each start, inside the plot', () => {
    const xs = attributes(svg, 'circle', 'cx');
    expect(xs).toHaveLength(cold.length + restored.length);
    expect(Math.min(...xs)).toBeGreaterThanOrEqual(108);
    expect(Math.max(...xs)).toBeLessThanOrEqual(600);
  });

  test('has two to nine ticks', () => {
    const ticks = svg.match(/class="(grid|axis)"/g)?.length ?? 0;
    expect(ticks).toBeGreaterThanOrEqual(2);
    expect(ticks).toBeLessThanOrEqual(9);
  });

  test('leaves a visible box for both', () => {
    const boxes = [...svg.matchAll(/class="box"[^>]*width="([^"]*)"/g)].map((match) => Number(match[1]));
    expect(boxes).toHaveLength(2);
    expect(Math.min(...boxes)).toBeGreaterThanOrEqual(2);
  });
});

test('places the medians on a linear scale from zero', () => {
  const svg = renderStartupSvg(sampleReport({ measurements: sampleMeasurements([1000], [250]) }));
  const medians = [...svg.matchAll(/class="median" x1="([^"]*)"/g)].map((match) => Number(match[1]));
  expect(medians).toEqual([600, 108 + 492 / 4]);
});

test('says in words what it shows', () => {
  const svg = renderStartupSvg(sampleReport({ measurements: sampleMeasurements([842, 842], [61, 61]) }));
  expect(svg).toContain('role="img"');
  expect(svg).toContain(
    '<desc id="desc">todo-api starts in 61 ms instead of 842 ms: 13.8x faster. Cold: median 842 ms',
  );
  expect(svg).toMatch(/Restored: median 61 ms, middle half 61 ms\.<\/desc>/);
});

test('escapes the name and drops what XML forbids', () => {
  const svg = renderStartupSvg(sampleReport({ name: '</title><script>&"\u0000\uD800x' }));
  expect(defectsOf(svg)).toEqual([]);
  expect(svg).not.toContain('<script');
  expect(svg).not.toMatch(/[^\P{C}\n]/u);
});

test('follows the system’s colours and loads nothing', () => {
  const svg = renderStartupSvg(sampleReport());
  expect(svg).toContain('prefers-color-scheme: dark');
  expect(svg.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:|url\(|@import|href/);
});
