import type { Report, StartupPair } from '../../src/model/index.ts';
import { summarize } from '../../src/statistics.ts';

const MIB = 1024 * 1024;
const COLD = [842, 829, 851, 838, 866, 845, 833, 859, 840, 848];
const RESTORED = [61, 60, 63, 58, 66, 61, 62, 59, 64, 61];

/** A report of ten ordinary pairs; every part can be replaced. */
export function sampleReport(changes: Partial<Report> = {}): Report {
  return {
    version: 1,
    name: 'todo-api',
    createdAt: '2026-11-21T07:30:00Z',
    app: {
      targetFramework: 'net10.0',
      assembly: 'TodoApi',
      baseImage: 'mcr.microsoft.com/dotnet/aspnet:10.0',
      image: 'todo-api:restore-ready',
    },
    snapshot: { id: 'sha256:4be1c0ffee', bytes: 28.4 * MIB, criuVersion: '4.2.1', kernel: '6.12.48', fromCache: false },
    warmup: { rounds: 12, requests: 3600, methods: 2411, steady: true, millis: 8200 },
    scan: { findings: 0, bytes: 28.4 * MIB, extents: 1224, rules: 41, knownSecrets: 3, millis: 640 },
    verify: { clones: 3, answersCompared: 150, valuesCompared: 96 },
    measurements: sampleMeasurements(COLD, RESTORED),
    stages: [
      { name: 'publish', millis: 12_400 },
      { name: 'image', millis: 6_300 },
      { name: 'warmup', millis: 8_200 },
      { name: 'checkpoint', millis: 412 },
      { name: 'scan', millis: 640 },
      { name: 'verify', millis: 2_900 },
      { name: 'measure', millis: 74_000 },
    ],
    commit: '0123456789abcdef0123456789abcdef01234567',
    ...changes,
  };
}

/** Measurements with these starts in milliseconds, pair by pair. */
export function sampleMeasurements(cold: number[], restored: number[]): Report['measurements'] {
  const pairs: StartupPair[] = cold.map((coldMs, index) => ({ coldMs, restoredMs: restored[index]! }));
  return {
    pairs,
    startupMs: { cold: summarize(cold), restored: summarize(restored) },
    firstRequestsMicros: { cold: { n: 100, p50: 1240, p99: 38_500 }, restored: { n: 100, p50: 610, p99: 2900 } },
    memoryBytes: { cold: 96.2 * MIB, restored: 71.5 * MIB },
    imageBytes: { app: 231 * MIB, restoreReady: 268.3 * MIB },
  };
}
