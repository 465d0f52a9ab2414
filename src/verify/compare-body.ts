import { createHash } from 'node:crypto';
import { jsonCheck } from './compare-json.ts';
import { lengthCheck, textCheck } from './compare-text.ts';

/** A part of a body that is not what it was. */
export interface PartDifference {
  /** Where in the body, such as `$.items[0].title`; empty for the body as a whole. */
  at: string;
  expected: string;
  actual: string;
}

/** Compares a body with what was learned of earlier ones. */
export type BodyCheck = (body: Uint8Array) => PartDifference[];

/**
 * The check of a body's stable parts, learned from bodies of the same request, status and content type. `pairs` are answers
 * to it of two processes that were started normally: what differs between them may differ.
 */
export function bodyCheck(
  bodies: Uint8Array[],
  contentType: string,
  pairs: [Uint8Array, Uint8Array][] = [],
): BodyCheck {
  const samples = withoutSurplus(bodies);
  const mediaType = contentType.split(';', 1)[0]!.trim().toLowerCase();
  if (/[/+]json$/.test(mediaType)) {
    const values = parseAll(samples);
    if (values) return jsonCheck(values, parsedPairs(pairs));
  }
  if (/^$|^text\/|[/+](json|xml|javascript|yaml|x-www-form-urlencoded)$/.test(mediaType)) {
    return textCheck(samples, pairs);
  }
  return binaryCheck(samples, pairs);
}

/** At most two of each body: as much as it takes to know that it can come again. */
function withoutSurplus(bodies: Uint8Array[]): Uint8Array[] {
  const seen = new Map<string, number>();
  return bodies.filter((body) => {
    const digest = digestOf(body);
    const count = (seen.get(digest) ?? 0) + 1;
    seen.set(digest, count);
    return count <= 2;
  });
}

function parseAll(bodies: Uint8Array[]): unknown[] | undefined {
  try {
    return bodies.map((body) => JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return undefined;
  }
}

function parsedPairs(pairs: [Uint8Array, Uint8Array][]): [unknown, unknown][] {
  return pairs.flatMap((pair) => {
    const parsed = parseAll(pair);
    return parsed ? [parsed as [unknown, unknown]] : [];
  });
}

function binaryCheck(samples: Uint8Array[], pairs: [Uint8Array, Uint8Array][]): BodyCheck {
  const digests = new Set(samples.map(digestOf));
  const varies = digests.size > 1 || pairs.some(([one, other]) => digestOf(one) !== digestOf(other));
  if (varies || samples.length < 2) return lengthCheck(samples);
  const [expected] = digests;
  return (body) => {
    const actual = digestOf(body);
    return actual === expected ? [] : [{ at: '', expected: expected!, actual }];
  };
}

function digestOf(body: Uint8Array): string {
  return `${body.length} bytes, sha256:${createHash('sha256').update(body).digest('hex')}`;
}
