import type { Finding } from '../../model/findings.ts';
import type { Hit } from '../engine/hit.ts';
import { printable } from '../printable.ts';
import type { Place } from '../sources/source.ts';
import { type AtBuild, fixFor } from './fix.ts';
import { hashOf, type ScanKey } from './key.ts';

/** Characters of a name or path that are shown. */
const MAX_TEXT = 200;

/** What is known of the hits beyond themselves. */
export interface FindingContext {
  key: ScanKey;
  /** Where in a process an offset of a file is. */
  placeOf(file: string, offset: number): Place;
  /** What to do about a rule's findings in general. */
  ruleFix(ruleId: string): string;
  /** What a build does about secrets among variables; absent where the snapshot is no build's. */
  atBuild?: AtBuild;
}

/**
 * Hits as findings: one for each kind of memory and process that a value was seen in, so that each can be judged by
 * itself. Sightings whose places were not kept count with the first of them.
 */
export function findingsOf(hits: readonly Hit[], context: FindingContext): Finding[] {
  const findings = hits.flatMap((hit) => {
    const groups = new Map<string, { file: string; offset: number; place: Place; count: number }>();
    // A hit without a place is still a finding.
    const places = hit.places.length > 0 ? hit.places : [{ file: hit.file, offset: hit.offset }];
    for (const { file, offset } of places) {
      const place = context.placeOf(file, offset);
      const id = `${place.mapping}\0${place.pid ?? ''}`;
      const group = groups.get(id);
      if (group) group.count++;
      else groups.set(id, { file, offset, place, count: 1 });
    }
    const unplaced = Math.max(0, hit.count - places.length);
    return [...groups.values()].map((group, index) => finding(hit, context, group, index === 0 ? unplaced : 0));
  });
  return withFixes(findings, context);
}

/** The findings with what is known of their age, one entry for each. */
export function withAges(
  findings: readonly Finding[],
  ages: readonly Finding['age'][],
  context: Pick<FindingContext, 'ruleFix' | 'atBuild'>,
): Finding[] {
  const aged = findings.map((finding, index) => {
    const age = ages[index];
    return age === undefined ? finding : { ...finding, age };
  });
  return withFixes(aged, context);
}

/** Where the build knows a value, what helps is told by where it is from, whichever rule has found it, too. */
function withFixes(
  findings: readonly Finding[],
  { ruleFix, atBuild }: Pick<FindingContext, 'ruleFix' | 'atBuild'>,
): Finding[] {
  const known = new Map<string, Finding>();
  for (const finding of findings) if (finding.ruleId === 'known-value') known.set(finding.hash, finding);
  return findings.map((finding) => {
    const { ruleId, description } = known.get(finding.hash) ?? finding;
    return { ...finding, fix: fixFor({ ...finding, ruleId, description }, ruleFix(ruleId), atBuild) };
  });
}

function finding(
  hit: Hit,
  { key }: FindingContext,
  { file, offset, count, place }: { file: string; offset: number; count: number; place: Place },
  unplaced: number,
): Finding {
  const { ruleId, encoding, bytes, length, start, sha256 } = hit;
  const description = printable(hit.description, MAX_TEXT);
  return {
    ...{ ruleId, description, encoding, file, offset, bytes, length },
    count: count + unplaced,
    preview: previewOf(start),
    hash: hashOf(sha256, key),
    mapping: place.mapping,
    ...(unplaced > 0 && { unplaced }),
    ...(place.pid !== undefined && { pid: place.pid }),
    ...(place.process !== undefined && { process: printable(place.process, MAX_TEXT) }),
    ...(place.address !== undefined && { address: `0x${place.address.toString(16)}` }),
    ...(place.mappedFile !== undefined && { mappedFile: printable(place.mappedFile, MAX_TEXT) }),
    // As soon as all are known.
    fix: '',
  };
}

function previewOf(start: string): string {
  return start.replace(/[^\x21-\x7e]/g, '·').slice(0, 2);
}
