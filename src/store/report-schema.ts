import { z } from 'zod';
import type { Report } from '../model/index.ts';

const amount = z.number().nonnegative();
const count = z.int().nonnegative();
const text = z.string().max(1000);

const summary = z.object({ n: count, median: amount, q1: amount, q3: amount, min: amount, max: amount });
const firstRequests = z.object({ n: count, p50: amount, p99: amount });

const measurements = z.object({
  pairs: z.array(z.object({ coldMs: amount, restoredMs: amount })).max(1000),
  startupMs: z.object({ cold: summary, restored: summary }),
  firstRequestsMicros: z.object({ cold: firstRequests, restored: firstRequests }),
  memoryBytes: z.object({ cold: amount, restored: amount }),
  imageBytes: z.object({ app: amount, restoreReady: amount }),
});

/** Accepts exactly what `Report` describes, in sizes that a real report stays well below; drops unknown keys. */
export const reportSchema = schemaOf<Report>()(
  z.object({
    version: z.literal(1),
    name: text,
    createdAt: z.iso.datetime(),
    app: z.object({
      targetFramework: text.exactOptional(),
      assembly: text.exactOptional(),
      baseImage: text,
      image: text,
    }),
    snapshot: z.object({
      id: text,
      bytes: amount,
      criuVersion: text,
      kernel: text,
      isa: text.exactOptional(),
      fromCache: z.boolean(),
    }),
    warmup: z.object({
      rounds: count,
      requests: count,
      methods: count.exactOptional(),
      steady: z.boolean(),
      millis: amount,
      statuses: z.record(z.string().max(3), count).exactOptional(),
      caveat: text.exactOptional(),
    }),
    scan: z.object({
      verdict: z.enum(['clean', 'findings', 'off']).exactOptional(),
      findings: count,
      allowed: count.exactOptional(),
      bytes: amount,
      extents: count,
      rules: count,
      knownSecrets: count,
      canaries: z.object({ planted: count, found: count }).exactOptional(),
      millis: amount,
    }),
    keys: z.array(text).max(100).exactOptional(),
    verify: z.object({ clones: count, answersCompared: count, valuesCompared: count.exactOptional() }),
    measurements,
    stages: z.array(z.object({ name: text, millis: amount })).max(100),
    commit: text.exactOptional(),
  }),
);

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Holds a schema equal to a type: one that lacks a member, or has one too many, does not compile. */
function schemaOf<T>() {
  return <S extends z.ZodType<T>>(schema: Same<z.output<S>, T> extends true ? S : never): S => schema;
}
