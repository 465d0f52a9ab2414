import type { ScanResult } from '../../model/findings.ts';
import { byDanger, byValue, describePlace, describeSecret, describeSighting, describeValue } from './describe.ts';

/** GitHub shows ten annotations of a kind for each step. */
const MOST = 10;

/** One annotation of a run. */
export interface Annotation {
  title: string;
  message: string;
}

/** One annotation for each value that was found, the most dangerous first; the last one counts those left out. */
export function findingsToAnnotations({ findings }: ScanResult): Annotation[] {
  const groups = byValue(byDanger(findings));
  const shown = groups.length > MOST ? groups.slice(0, MOST - 1) : groups;
  const annotations = shown.map(([first, ...others]) => ({
    title: `Secret in the snapshot: ${describeSecret(first!)}`,
    message: [
      `${describeSighting(first!)}, at ${describePlace(first!)}; ${describeValue(first!)}.`,
      ...(others.length > 0
        ? [`It is in ${others.length === 1 ? '1 more kind' : `${others.length} more kinds`} of memory or encoding.`]
        : []),
      first!.fix,
    ].join(' '),
  }));
  const left = groups.length - shown.length;
  if (left > 0) annotations.push({ title: 'Secrets in the snapshot', message: `${left} more; the report lists them.` });
  return annotations;
}
