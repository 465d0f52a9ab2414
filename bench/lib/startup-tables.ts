import { percentile, summarize } from '../../src/statistics.ts';
import { FLOOR, MINIMAL, RESTORED } from './contestants.ts';
import type { Start } from './start.ts';
import { fineMs, ms, table } from './table.ts';
import { JIT } from './variants.ts';

/** The starts of one contestant in one pass, at least one. */
export interface Result {
  app: string;
  title: string;
  starts: Start[];
}

const median = (values: number[]) => percentile(values, 0.5);

/** Those of the values that are there. */
const present = <T>(values: (T | undefined)[]) => values.filter((value) => value !== undefined);

/** A table for the floor and for each app: how long its starts took, and how much CPU time. */
export function startTables(results: readonly Result[]): string {
  const medianOf = (app: string, title: string) => {
    const result = results.find((one) => one.app === app && one.title === title);
    return result && median(result.starts.map(({ millis }) => millis));
  };
  const floor = medianOf(FLOOR, FLOOR);
  const aot = medianOf(MINIMAL.name, 'NativeAOT');
  const compared = ['Without the floor', 'Faster than JIT', 'NativeAOT minimal = 1'];
  const head = ['', 'Median', 'Quartiles', 'Range', 'CPU time', ...compared];
  const rowOf = ({ app, title, starts }: Result) => {
    const all = summarize(starts.map(({ millis }) => millis));
    const cpu = present(starts.map(({ cpuMillis }) => cpuMillis));
    const jit = medianOf(app, JIT.title);
    return [
      title,
      `${ms(all.median)} ms`,
      `${ms(all.q1)}–${ms(all.q3)}`,
      `${ms(all.min)}–${ms(all.max)}`,
      cpu.length > 0 ? `${ms(median(cpu))} ms` : '',
      floor === undefined || app === FLOOR ? '' : `${ms(all.median - floor)} ms`,
      jit === undefined ? '' : `${(jit / all.median).toFixed(1)}×`,
      aot === undefined || app === FLOOR ? '' : (all.median / aot).toFixed(2),
    ];
  };
  return [...new Set(results.map(({ app }) => app))]
    .map((app) => `**${app}**\n\n${table([head, ...results.filter((one) => one.app === app).map(rowOf)])}`)
    .join('\n\n');
}

/** Medians, over the starts, of each start's p50 and p99; undefined where no requests were sent. */
export function latencyTable(results: readonly Result[]): string | undefined {
  const rows = results.flatMap(({ app, title, starts }) => {
    const latencies = present(starts.map(({ latency }) => latency));
    if (latencies.length === 0) return [];
    const [p50, p99] = [latencies.map((one) => one.p50), latencies.map((one) => one.p99)].map(summarize);
    return [[app, title, `${fineMs(p50!.median)} ms`, `${fineMs(p99!.median)} ms`, span(p99!)]];
  });
  return rows.length > 0 ? table([['App', 'Variant', 'p50', 'p99', 'Quartiles of p99'], ...rows]) : undefined;
}

const span = ({ q1, q3 }: { q1: number; q3: number }) => `${fineMs(q1)}–${fineMs(q3)}`;

/** Medians of each step of the restores, of each app in each pass; undefined where no restore told its steps. */
export function stepsTable(passes: Readonly<Record<string, readonly Result[]>>): string | undefined {
  let names: string[] = [];
  const rows = Object.entries(passes).flatMap(([pass, results]) =>
    results.flatMap(({ app, title, starts }) => {
      const all = present(starts.map(({ steps }) => steps));
      if (title !== RESTORED || all.length === 0) return [];
      names = Object.keys(all[0]!);
      const sums = all.map((steps) => Object.values(steps).reduce((sum, step) => sum + step, 0));
      const medians = [...names.map((name) => all.map((steps) => steps[name]!)), sums].map(median);
      return [[app, pass, ...medians.map(fineMs)]];
    }),
  );
  return rows.length > 0 ? table([['App', 'Pass', ...names, 'Together'], ...rows]) : undefined;
}
