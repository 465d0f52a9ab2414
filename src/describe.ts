import type { Taken } from './cached.ts';
import type { Measurements, Report } from './model/index.ts';
import type { Prepared } from './prepare.ts';

/** What the stages after the checkpoint found out. */
export interface Results {
  scan: Report['scan'];
  verified: Report['verify'];
  measurements: Measurements;
  image: string;
  stages: Report['stages'];
  commit: string | undefined;
}

/** The report: one model of everything, for Markdown, SVG, JSON and later comparisons. */
export function describe(prepared: Prepared, taken: Taken, results: Results): Report {
  const { manifest } = taken.snapshot;
  const { lastAnswers: _, ...warmup } = taken.warmup;
  return {
    version: 1,
    name: prepared.name,
    createdAt: new Date().toISOString(),
    app: {
      ...(prepared.published && {
        targetFramework: prepared.published.targetFramework,
        assembly: prepared.published.assembly,
      }),
      baseImage: prepared.app.baseImage,
      image: results.image,
    },
    snapshot: {
      id: manifest.id,
      bytes: taken.snapshot.bytes,
      criuVersion: manifest.criu.version,
      kernel: manifest.host.kernel,
      ...(manifest.cpu && { isa: manifest.cpu.isa }),
      fromCache: taken.measurements !== undefined,
    },
    warmup,
    scan: results.scan,
    ...(taken.keys.length > 0 && { keys: taken.keys }),
    verify: results.verified,
    measurements: results.measurements,
    stages: results.stages,
    ...(results.commit !== undefined && { commit: results.commit }),
  };
}
