import type { Report } from '../model/index.ts';
import { markdownCode } from './escape.ts';
import { formatBytes, formatChange, formatCounted, formatDifference, formatDuration, formatMs } from './format.ts';
import { startupDelta } from './headline.ts';
import { markdownTable } from './table.ts';

/** The folded part of the report: every pair and how it was taken, then how the snapshot came to be. */
export function renderDetails(report: Report): string {
  return [
    folded('Every pair of starts, and how they were measured', renderPairs(report)),
    folded('Snapshot, warmup and stages', renderBuild(report)),
  ].join('\n\n');
}

function folded(summary: string, parts: string[]): string {
  return ['<details>', `<summary>${summary}</summary>`, '', parts.join('\n\n'), '', '</details>'].join('\n');
}

function renderPairs(report: Report): string[] {
  const method =
    'Cold and restored starts are interleaved, one pair after the other; a start is the time from the container’s ' +
    '`StartedAt` to the first successful answer. Request latencies are medians over the containers, memory is the last pair’s.';
  const delta = startupDelta(report);
  if (!delta) return [method];
  const { low, high, confidence } = delta.interval;
  const rows = report.measurements.pairs.map(({ coldMs, restoredMs }, index) => [
    `${index + 1}`,
    formatMs(coldMs),
    formatMs(restoredMs),
    formatDifference(restoredMs - coldMs, formatMs),
    formatChange(coldMs, restoredMs),
  ]);
  const interval =
    delta.n === 1
      ? ''
      : `, with ${(100 * confidence).toFixed(1)} % confidence between ${formatDifference(low, formatMs)} and ${formatDifference(high, formatMs)}`;
  return [
    method,
    markdownTable(['Pair', 'Cold', 'Restored', 'Difference', 'Change'], rows),
    `Median of the differences: ${formatDifference(delta.median, formatMs)}${interval}.`,
  ];
}

function renderBuild({ app, snapshot, warmup, stages, commit, createdAt }: Report): string[] {
  const facts: [string, string | undefined][] = [
    [
      'Snapshot',
      `${markdownCode(snapshot.id)}, ${formatBytes(snapshot.bytes)}${snapshot.fromCache ? ', from the cache' : ''}`,
    ],
    ['Image', markdownCode(app.image)],
    ['Base image', markdownCode(app.baseImage)],
    ['App', app.assembly && markdownCode(app.assembly)],
    ['Target framework', app.targetFramework && markdownCode(app.targetFramework)],
    ['Warmup', renderWarmup(warmup)],
    ['Answers', renderStatuses(warmup)],
    ['CRIU', markdownCode(snapshot.criuVersion)],
    ['Kernel', markdownCode(snapshot.kernel)],
    ['Instruction set', snapshot.isa && markdownCode(snapshot.isa)],
    ['Commit', commit && markdownCode(commit)],
    ['Created', markdownCode(createdAt)],
  ];
  const list = facts.flatMap(([label, value]) => (value === undefined ? [] : [`- ${label}: ${value}`])).join('\n');
  if (stages.length === 0) return [list];
  const total = stages.reduce((sum, stage) => sum + stage.millis, 0);
  const rows = stages.map(({ name, millis }) => [markdownCode(name), formatDuration(millis)]);
  return [list, markdownTable(['Stage', 'Duration'], [...rows, ['**Total**', `**${formatDuration(total)}**`]])];
}

function renderStatuses({ statuses }: Report['warmup']): string | undefined {
  if (!statuses) return undefined;
  return Object.entries(statuses)
    .map(([status, count]) => `${count} × ${markdownCode(status)}`)
    .join(', ');
}

function renderWarmup({ rounds, requests, methods, steady, millis }: Report['warmup']): string {
  const jit = methods === undefined ? '' : `, ${formatCounted(methods, 'method')} compiled`;
  if (rounds === 0) return `no traffic, checkpoint ${formatDuration(millis)} after the app was ready${jit}`;
  const end = steady ? 'until the JIT was quiet' : 'ended by the limit of rounds';
  return `${formatCounted(rounds, 'round')}, ${formatCounted(requests, 'request')}${jit}, ${end}, ${formatDuration(millis)}`;
}
