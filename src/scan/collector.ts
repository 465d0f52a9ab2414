import { createHmac, randomBytes } from 'node:crypto';
import type { Finding } from '../model/findings.ts';

/** A hit before it is known whether the same was seen before. `secret` goes no further than the collector. */
export type Sighting = Omit<Finding, 'count' | 'length'> & { secret: string };

/**
 * Counts sightings of the same rule, value and encoding as one finding. Values are held only as HMACs under a key
 * that lives as long as the scan.
 */
export class FindingCollector {
  private readonly key = randomBytes(32);
  private readonly byDigest = new Map<string, Finding>();

  add({ secret, ...place }: Sighting): void {
    const digest = createHmac('sha256', this.key)
      .update(`${place.ruleId}\0${place.encoding}\0${secret}`)
      .digest('base64');
    const seen = this.byDigest.get(digest);
    if (seen === undefined) this.byDigest.set(digest, { ...place, count: 1, length: secret.length });
    else seen.count++;
  }

  /** In the order of first sighting. */
  findings(): Finding[] {
    return [...this.byDigest.values()];
  }
}
