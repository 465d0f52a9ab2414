import type { Report } from '../model/index.ts';
import { compareReports, type Delta, type Verdict } from './delta.ts';
import { renderDetails } from './details.ts';
import { commentMarker, markdownCode } from './escape.ts';
import {
  formatBytes,
  formatChange,
  formatCounted,
  formatDifference,
  formatMicros,
  formatMs,
  formatMsRange,
} from './format.ts';
import { headline, startupCaveats } from './headline.ts';
import { renderKeys, renderScan, renderScanAlert } from './scan.ts';
import { markdownTable } from './table.ts';

/** What goes beside the report itself. */
export interface MarkdownOptions {
  /** The base branch's report, to compare with. */
  baseline?: Report;
  /** Path or address of the chart, as seen from where the Markdown is shown. Without it there is none. */
  svgPath?: string;
  /** Begin with the hidden line by which a later run finds its comment again. */
  marker?: boolean;
}

/** The report as GitHub-flavoured Markdown: for the pull request's comment, the job's summary and report.md. */
export function renderMarkdown(report: Report, options: MarkdownOptions = {}): string {
  const sections = [
    ...(options.marker ? [commentMarker(report.name)] : []),
    `### ${headline(report, markdownCode(report.name))}`,
    ...renderScanAlert(report.scan),
    ...renderKeys(report.keys ?? []),
    ...renderCaveats(startupCaveats(report)),
    ...(options.svgPath === undefined ? [] : [renderImage(options.svgPath)]),
    renderMeasurements(report),
    ...renderComparison(report, options.baseline),
    renderChecks(report),
    renderDetails(report),
  ];
  return `${sections.join('\n\n')}\n`;
}

function renderCaveats(caveats: string[]): string[] {
  return caveats.length === 0 ? [] : [`> [!NOTE]\n> ${caveats.join(' ')}`];
}

function renderImage(path: string): string {
  // Angle brackets allow anything in a destination but these and a line break.
  const destination = path.replace(/[\s<>\\]/g, (character) => encodeURIComponent(character));
  return `![Every cold and every restored start on one scale](<${destination}>)`;
}

function renderMeasurements({ measurements }: Report): string {
  const { startupMs, firstRequestsMicros, memoryBytes, imageBytes } = measurements;
  const { cold, restored } = startupMs;
  const row = (label: string, before: number, after: number, format: (value: number) => string) => [
    label,
    format(before),
    format(after),
    formatChange(before, after),
  ];
  const { n } = firstRequestsMicros.restored;
  const first = `First ${formatCounted(n, 'request')}`;
  return markdownTable(
    ['', 'Cold', 'Restored', 'Change'],
    [
      row(
        n === 0 ? 'Start to ready, median' : 'Start to first response, median',
        cold.median,
        restored.median,
        formatMs,
      ).map((cell) => `**${cell}**`),
      [
        `Middle half of ${formatCounted(restored.n, 'start')}`,
        formatMsRange(cold.q1, cold.q3),
        formatMsRange(restored.q1, restored.q3),
        '',
      ],
      ...(n === 0
        ? []
        : [
            row(`${first}, p50`, firstRequestsMicros.cold.p50, firstRequestsMicros.restored.p50, formatMicros),
            row(`${first}, p99`, firstRequestsMicros.cold.p99, firstRequestsMicros.restored.p99, formatMicros),
          ]),
      row(n === 0 ? 'Memory' : 'Memory after them', memoryBytes.cold, memoryBytes.restored, formatBytes),
      row('Image size', imageBytes.app, imageBytes.restoreReady, formatBytes),
    ],
  );
}

const FORMAT: Record<Delta['unit'], (value: number) => string> = { ms: formatMs, us: formatMicros, bytes: formatBytes };

function renderComparison(report: Report, baseline: Report | undefined): string[] {
  if (!baseline) {
    return ['No baseline yet: once this has run on the base branch, pull requests are compared with that run.'];
  }
  const deltas = compareReports(report, baseline);
  const rows = deltas.map(({ label, unit, base, current, difference, verdict }) => [
    label,
    FORMAT[unit](base),
    FORMAT[unit](current),
    difference === 0 ? 'none' : `${formatDifference(difference, FORMAT[unit])} (${formatChange(base, current)})`,
    verdict === 'within noise' ? verdict : `**${verdict}**`,
  ]);
  const commit = baseline.commit === undefined ? '' : ` at ${markdownCode(baseline.commit.slice(0, 12))}`;
  return [
    `#### Against the base branch${commit}`,
    summarizeDeltas(deltas),
    markdownTable(['', 'Base', 'This run', 'Difference', 'Verdict'], rows),
    ...machineCaveat(report, baseline, deltas),
  ];
}

function summarizeDeltas(deltas: Delta[]): string {
  const labels = (verdict: Verdict) =>
    deltas.filter((delta) => delta.verdict === verdict).map((delta) => delta.label.toLowerCase());
  const [worse, better] = [labels('worse'), labels('better')];
  if (worse.length + better.length === 0) return 'No difference beyond the noise.';
  const parts = [
    worse.length > 0 ? `Worse: ${worse.join('; ')}.` : '',
    better.length > 0 ? `Better: ${better.join('; ')}.` : '',
  ];
  if (worse.length + better.length < deltas.length) parts.push('The rest is within noise.');
  return parts.filter((part) => part !== '').join(' ');
}

/** The cold start is the yardstick: when it moves, the other rows may have moved with it. */
function machineCaveat(report: Report, baseline: Report, deltas: Delta[]): string[] {
  const cold = deltas.find((delta) => delta.label === 'Cold start');
  if (cold?.verdict === 'within noise') return [];
  const [then, now] = [baseline.snapshot.kernel, report.snapshot.kernel];
  const kernels = then === now ? '' : ` The base ran on kernel ${markdownCode(then)}, this on ${markdownCode(now)}.`;
  return [
    `The cold start changed, and no snapshot has a part in it: the app or the machine may be the reason.${kernels}`,
  ];
}

function renderChecks({ scan, verify }: Report): string {
  return [
    `- **Secrets in the snapshot:** ${renderScan(scan)}.`,
    `- **Verification:** ${renderVerification(verify)}.`,
  ].join('\n');
}

function renderVerification({ clones, answersCompared, valuesCompared }: Report['verify']): string {
  if (clones === 0) return 'not run';
  const parts = [
    `${formatCounted(clones, 'clone')} restored`,
    `${formatCounted(answersCompared, 'answer')} as expected`,
  ];
  const where = clones === 1 ? 'within it' : 'between clones';
  if (valuesCompared !== undefined) parts.push(`0 of ${formatCounted(valuesCompared, 'value')} equal ${where}`);
  return parts.join(', ');
}
