import type { Report, Summary } from '../model/index.ts';
import { cleanText, escapeXml } from './escape.ts';
import { formatCounted, formatMs, formatMsRange, formatTick } from './format.ts';
import { headline } from './headline.ts';

// Pixels. The figures stand in a column of their own, so they stay clear of the marks however wide or narrow these are.
const WIDTH = 760;
const HEIGHT = 236;
const PLOT = { left: 108, right: 600, top: 76, bottom: 192 };
const FIGURES = 736;
const ROW = { cold: 84, restored: 142, bar: 24 };
const DOT = { radius: 2.4, gap: 5.4, below: 31, levels: 3 };

// The chart paints its own ground: an image follows the system's colours, the page around it may not.
const STYLE = `
text { font-family: -apple-system, BlinkMacSystemFont, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif; font-variant-numeric: tabular-nums; fill: #1f2328; }
.ground { fill: #ffffff; stroke: #d1d9e0; }
.title { font-size: 15px; font-weight: 600; }
.label { font-size: 14px; }
.figure { font-size: 15px; font-weight: 600; text-anchor: end; }
.note { font-size: 12px; fill: #59636e; }
.end { text-anchor: end; }
.middle { text-anchor: middle; }
.grid { stroke: #e6eaef; }
.axis { stroke: #afb8c1; }
.cold { color: #6e7781; }
.restored { color: #0969da; }
.bar { fill: currentColor; fill-opacity: 0.28; }
.box { fill: currentColor; fill-opacity: 0.55; }
.median { stroke: currentColor; stroke-width: 3; }
.dot { fill: currentColor; }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc; }
  .ground { fill: #0d1117; stroke: #3d444d; }
  .note { fill: #9198a1; }
  .grid { stroke: #21262d; }
  .axis { stroke: #656c76; }
  .cold { color: #9198a1; }
  .restored { color: #4493f8; }
}`;

/**
 * The starts as a chart on one linear axis from zero: for cold and restored a bar that ends in the quartile box, the median
 * as a line in it, and every single start as a dot. A standalone SVG, 760 by 236 pixels, for light and dark, without scripts
 * or fonts of its own.
 */
export function renderStartupSvg(report: Report): string {
  const { pairs, startupMs } = report.measurements;
  const cold = pairs.map((pair) => pair.coldMs);
  const restored = pairs.map((pair) => pair.restoredMs);
  const axis = linearAxis(Math.max(startupMs.cold.max, startupMs.restored.max, ...cold, ...restored));
  const name = escapeXml(cleanText(report.name, 48));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title desc">
<title id="title">${name}: start to first response</title>
<desc id="desc">${escapeXml(describe(report))}</desc>
<style>${STYLE}
</style>
<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="8"/>
<text class="title" x="24" y="35">${name}: start to first response</text>
<text class="note" x="24" y="55">${formatCounted(pairs.length, 'pair')} of starts. Line: median. Band around it: middle half. Each dot: one start.</text>
${renderAxis(axis)}
${renderRow('cold', 'Cold', ROW.cold, startupMs.cold, cold, axis)}
${renderRow('restored', 'Restored', ROW.restored, startupMs.restored, restored, axis)}
</svg>
`;
}

function describe(report: Report): string {
  const { cold, restored } = report.measurements.startupMs;
  const spread = (summary: Summary) =>
    `median ${formatMs(summary.median)}, middle half ${formatMsRange(summary.q1, summary.q3)}`;
  return `${headline(report, cleanText(report.name, 48))} Cold: ${spread(cold)}. Restored: ${spread(restored)}.`;
}

interface Axis {
  /** Milliseconds between two ticks, and at the right end. */
  step: number;
  end: number;
}

/** From zero to the first tick at or past `max`, in four to eight steps of 1, 2 or 5 times a power of ten. */
function linearAxis(max: number): Axis {
  if (!(max > 0)) return { step: 1, end: 1 };
  const power = 10 ** Math.floor(Math.log10(max / 4));
  const step = power * (max / power < 8 ? 1 : max / power < 16 ? 2 : 5);
  return { step, end: Math.ceil(max / step) * step };
}

function xOf(millis: number, axis: Axis): number {
  return Math.round(10 * (PLOT.left + (millis / axis.end) * (PLOT.right - PLOT.left))) / 10;
}

function renderAxis(axis: Axis): string {
  const ticks = Array.from({ length: Math.round(axis.end / axis.step) + 1 }, (_, index) => index * axis.step);
  const lines = ticks.map((tick, index) => {
    const x = xOf(tick, axis);
    const unit = index === ticks.length - 1 ? ' ms' : '';
    return `<line class="${index === 0 ? 'axis' : 'grid'}" x1="${x}" y1="${PLOT.top}" x2="${x}" y2="${PLOT.bottom}"/>
<text class="note middle" x="${x}" y="${PLOT.bottom + 20}">${formatTick(tick, axis.step)}${unit}</text>`;
  });
  return lines.join('\n');
}

function renderRow(style: string, label: string, top: number, summary: Summary, samples: number[], axis: Axis): string {
  const x = (millis: number) => xOf(millis, axis);
  // Equal samples, and a tiny value on a long axis, still leave a mark.
  const width = (from: number, to: number) => Math.max(2, to - from).toFixed(1);
  const [q1, median, q3] = [x(summary.q1), x(summary.median), x(summary.q3)];
  const spread = summary.n > 1 ? formatMsRange(summary.q1, summary.q3) : 'one start';
  return `<g class="${style}">
<rect class="bar" x="${PLOT.left}" y="${top}" width="${(q1 - PLOT.left).toFixed(1)}" height="${ROW.bar}"/>
<rect class="box" x="${q1}" y="${top}" width="${width(q1, q3)}" height="${ROW.bar}"/>
<line class="median" x1="${median}" y1="${top}" x2="${median}" y2="${top + ROW.bar}"/>
${renderDots(samples.map(x), top + DOT.below)}
</g>
<text class="label end" x="${PLOT.left - 14}" y="${top + 17}">${label}</text>
<text class="figure" x="${FIGURES}" y="${top + 15}">${formatMs(summary.median)}</text>
<text class="note end" x="${FIGURES}" y="${top + 32}">${spread}</text>`;
}

/** Dots that would touch go one level lower, as long as there is a level. */
function renderDots(xs: number[], top: number): string {
  const last = new Array<number>(DOT.levels).fill(Number.NEGATIVE_INFINITY);
  const dots = xs
    .toSorted((a, b) => a - b)
    .map((x) => {
      const free = last.findIndex((previous) => x - previous >= DOT.gap);
      const level = free >= 0 ? free : last.indexOf(Math.min(...last));
      last[level] = x;
      return `<circle class="dot" cx="${x}" cy="${(top + level * DOT.gap).toFixed(1)}" r="${DOT.radius}"/>`;
    });
  return dots.join('\n');
}
