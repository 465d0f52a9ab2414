import { z } from 'zod';

/** The contract between build and restore, stored as manifest.json beside the snapshot and in the image. */
export const manifestSchema = z.object({
  schemaVersion: z.literal(1),
  /** First 12 hex digits of the digest over all image files. */
  id: z.string(),
  name: z.string(),
  /** ISO 8601, UTC. */
  createdAt: z.string(),
  app: z.object({
    command: z.array(z.string()).min(1),
    imageId: z.string(),
    baseImage: z.string(),
    baseImageId: z.string().optional(),
    targetFramework: z.string().optional(),
    assembly: z.string().optional(),
  }),
  /** What the app was warmed on and keeps after the restore. */
  runtime: z.object({
    version: z.string(),
    processors: z.number(),
    memoryLimitBytes: z.number(),
    serverGc: z.boolean(),
  }),
  process: z.object({
    pid: z.number(),
    uid: z.number(),
    gid: z.number(),
    /** `UID:GID:GROUP,GROUP`; a restore needs the same. */
    identity: z.string(),
    /** Pipes between the app and its surroundings, named as CRIU names them. */
    stdout: z.string(),
    stderr: z.string(),
    controlIn: z.string(),
    controlOut: z.string(),
  }),
  host: z.object({
    kernel: z.string(),
    architecture: z.string(),
    /** As /proc/cpuinfo lists them. */
    cpuFeatures: z.array(z.string()),
    /** CLOCK_MONOTONIC at the checkpoint, in seconds. */
    monotonicSeconds: z.number(),
  }),
  criu: z.object({ version: z.string() }),
  /** What a restore needs beyond no capability at all. */
  capabilities: z.array(z.string()),
  /** How long the app's hooks may take after a restore. */
  hookSeconds: z.number(),
  /** What the app was warmed with; absent where that was not the replay of a traffic file. */
  traffic: z.object({ digest: z.string(), requests: z.number() }).optional(),
  /** Image files: name to sha256 and size in bytes. */
  files: z.record(z.string(), z.object({ sha256: z.string(), bytes: z.number() })),
  /** Absent until the scan has passed. */
  scan: z
    .object({ verdict: z.literal('clean'), bytes: z.number(), rules: z.number(), knownSecrets: z.number() })
    .optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** A checkpoint on disk. */
export interface Snapshot {
  /** Folder with CRIU's image files and nothing else. */
  directory: string;
  manifest: Manifest;
  /** Sum of the image files, bytes. */
  bytes: number;
}
