import { type Hit, MAX_PLACES } from './hit.ts';

/** One sighting of a value. */
export type Sighting = Omit<Hit, 'count' | 'places'>;

/** Counts sightings of the same rule, value and encoding as one hit. */
export class Collector {
  private readonly hits = new Map<string, Hit>();
  /** Of the bytes that are being searched: a value may be come upon in more than one way. */
  private readonly seen = new Set<string>();

  /** Forgets the places told of. Call it when other bytes are searched. */
  forgetPlaces(): void {
    this.seen.clear();
  }

  /** Counts a sighting, once at each place. */
  add(sighting: Sighting): void {
    const place = `${sighting.ruleId}\0${sighting.sha256}\0${sighting.offset}`;
    if (this.seen.has(place)) return;
    this.seen.add(place);
    const { file, offset } = sighting;
    this.merge({ ...sighting, count: 1, places: [{ file, offset }] });
  }

  /** Adds what another collector has counted in other bytes. */
  merge(hit: Hit): void {
    const key = `${hit.ruleId}\0${hit.description}\0${hit.encoding}\0${hit.sha256}`;
    const known = this.hits.get(key);
    if (known === undefined) {
      this.hits.set(key, hit);
      return;
    }
    known.count += hit.count;
    for (const place of hit.places) if (known.places.length < MAX_PLACES) known.places.push(place);
  }

  /** All hits so far, and none of them again. */
  take(): Hit[] {
    const hits = [...this.hits.values()];
    this.hits.clear();
    return hits;
  }
}
