import { type Hit, MAX_PLACES } from './hit.ts';

/** One sighting of a value. */
export type Sighting = Omit<Hit, 'count' | 'places'>;

/** Of a value that a rule found: where it was told of, and its hits by encoding. */
interface Seen {
  offsets: Set<number>;
  hits: Map<string, Hit>;
}

/** Counts sightings of the same rule, value and encoding as one hit. */
export class Collector {
  private readonly hits = new Map<string, Hit>();
  /** Of the bytes that are being searched: a value may be come upon in more than one way. */
  private readonly seen = new Map<string, Map<string, Seen>>();

  /** Forgets the places told of. Call it when other bytes are searched. */
  forgetPlaces(): void {
    this.seen.clear();
  }

  /** Counts a sighting, once at each place. */
  add(sighting: Sighting): void {
    const { encoding, file, offset } = sighting;
    const { offsets, hits } = this.seenOf(sighting);
    if (offsets.has(offset)) return;
    offsets.add(offset);
    let hit = hits.get(encoding);
    if (hit === undefined) {
      hit = this.hits.get(keyOf(sighting)) ?? { ...sighting, count: 0, places: [] };
      this.hits.set(keyOf(sighting), hit);
      hits.set(encoding, hit);
    }
    hit.count++;
    if (hit.places.length < MAX_PLACES) hit.places.push({ file, offset });
  }

  /** Looked up by parts: a value may be there a million times, and a key of all parts takes long to make. */
  private seenOf({ ruleId, sha256 }: Sighting): Seen {
    let rules = this.seen.get(sha256);
    if (rules === undefined) {
      rules = new Map();
      this.seen.set(sha256, rules);
    }
    let seen = rules.get(ruleId);
    if (seen === undefined) {
      seen = { offsets: new Set(), hits: new Map() };
      rules.set(ruleId, seen);
    }
    return seen;
  }

  /** Adds what another collector has counted in other bytes. */
  merge(hit: Hit): void {
    const key = keyOf(hit);
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
    this.forgetPlaces();
    return hits;
  }
}

function keyOf({ ruleId, description, encoding, sha256 }: Sighting): string {
  return `${ruleId}\0${description}\0${encoding}\0${sha256}`;
}
