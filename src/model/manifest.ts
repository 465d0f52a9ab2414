import { z } from 'zod';
import type { Forgotten } from './findings.ts';

const placesSchema = z.object({
  /** Paths that are a tmpfs or a volume; `/`: the whole root can be written to. */
  writable: z.array(z.string()),
  mounts: z.array(z.object({ source: z.string(), target: z.string(), readOnly: z.boolean() })),
});

/** What a container of the app can write to beside /tmp, and what is mounted into it. */
export type Places = z.infer<typeof placesSchema>;

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
    /**
     * Address ranges that the runtime reserved for itself, `START-END,…` in hexadecimal: their pages can be mapped from
     * the snapshot. Absent in snapshots of earlier versions.
     */
    reservedMemory: z.string().exactOptional(),
    /** `START-END` in hexadecimal of the address range that the GC reserved for the managed heap; empty where it can't be told. */
    gcHeap: z.string().exactOptional(),
    /** Address of the type's description that the header of every string holds, in hexadecimal. */
    stringType: z.string().exactOptional(),
  }),
  process: z.object({
    pid: z.number(),
    uid: z.number(),
    gid: z.number(),
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
  /** The instruction set that the app was held to while it was warmed; absent in manifests of versions that held it to none. */
  cpu: z
    .object({
      /** `x86-64-v2`, `x86-64-v3`, `x86-64-v4` or `native`: what was used, which may be less than was asked for. */
      isa: z.string(),
      /** What the snapshot may use beyond what every CPU of the architecture has, as /proc/cpuinfo lists it; sorted. */
      features: z.array(z.string()),
    })
    .optional(),
  criu: z.object({ version: z.string() }),
  /** How long the app's hooks may take after a restore. */
  hookSeconds: z.number(),
  /** How it is known that the app is ready, and how it is met; absent in snapshots of earlier versions. */
  ready: z
    .object({
      port: z.number(),
      path: z.string(),
      /** What tells that it is ready; an answer at `path` where absent. */
      by: z.enum(['http', 'port', 'log', 'file', 'command']).exactOptional(),
      /** The program of `command`, with its arguments. */
      argv: z.array(z.string()).exactOptional(),
      /** HTTP/1.1 in the clear where absent. */
      protocol: z.enum(['http', 'https', 'h2c']).exactOptional(),
      /** Host header of the build's requests. */
      host: z.string().exactOptional(),
    })
    .exactOptional(),
  /** What the app was warmed with; absent where that was not the replay of a traffic file. */
  traffic: z.object({ digest: z.string(), requests: z.number() }).optional(),
  /** CRIU's image files and `images.desc`: name to digests and size in bytes; snapshots of earlier versions have no XXH64. */
  files: z.record(z.string(), z.object({ sha256: z.string(), xxh64: z.string().exactOptional(), bytes: z.number() })),
  /**
   * Files of the app and of its runtime that the process had mapped, and those that the host decides from at a start:
   * a restored process goes on with what it has of them. Snapshots of earlier versions list none.
   */
  appFiles: z
    .array(
      z.object({
        path: z.string(),
        bytes: z.number(),
        /** Seconds since 1970, rounded down. */
        modified: z.number(),
        /** XXH64 with seed 0, 16 hex digits. */
        xxh64: z.string(),
      }),
    )
    .default([]),
  /** Where the app can write in production, and what is mounted there; absent where that is /tmp alone. */
  places: placesSchema.exactOptional(),
  /**
   * Files, folders and symbolic links that the app made or changed while it was warmed, a folder before what is in it.
   * Their contents lie one after the other in the image file `files.bin`. Earlier versions kept none.
   */
  kept: z
    .array(
      z.object({
        kind: z.enum(['file', 'folder', 'link']),
        path: z.string(),
        mode: z.number(),
        /** Whether the process had it open or mapped. */
        held: z.boolean(),
        /** In files.bin. */
        offset: z.number(),
        bytes: z.number(),
        xxh64: z.string(),
        /** Of a link. */
        target: z.string().exactOptional(),
        /** Whether the app's image has another file of that path. */
        inImage: z.boolean().exactOptional(),
      }),
    )
    .default([]),
  /**
   * Descriptors of the app that are semaphores (EFD_SEMAPHORE), which CRIU's images do not tell. Kernels before 6.5 do not
   * tell it either; a restore makes such an eventfd a plain counter.
   */
  semaphores: z.array(z.number()).default([]),
  /**
   * Random values that were planted in the app's memory, one in each encoding, which every scan must find: the SHA-256
   * of each (hex). Absent in snapshots of earlier versions.
   */
  canaries: z.array(z.object({ encoding: z.string(), sha256: z.string() })).exactOptional(),
  /**
   * Texts of the fakes that the app was warmed with in place of secrets: what is one of them or made of them is no
   * secret. Absent where there were none.
   */
  placeholders: z.array(z.string().min(4)).exactOptional(),
  /**
   * Ids of data-protection keys that were nowhere but in the app, and that the scan has seen to be forgotten: nobody can open
   * what they protect.
   */
  forgottenKeys: z.array(z.string()).exactOptional(),
  /** Absent until the scan has let it pass: as clean, with findings that were only to be reported, or unseen. */
  scan: z
    .object({
      verdict: z.enum(['clean', 'findings', 'off']),
      /** Findings that count, and those that policy, baseline or .gitleaksignore allow; absent in earlier versions. */
      findings: z.number().exactOptional(),
      allowed: z.number().exactOptional(),
      bytes: z.number(),
      rules: z.number(),
      knownSecrets: z.number(),
    })
    .optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** A file, folder or symbolic link that the app made or changed while it was warmed. */
export type KeptFile = Manifest['kept'][number];

/** A checkpoint on disk. */
export interface Snapshot {
  /** Folder with CRIU's image files, their description `images.desc`, and nothing else. */
  directory: string;
  manifest: Manifest;
  /** Sum of the image files, bytes. */
  bytes: number;
  /** What the app forgot before its checkpoint; absent for a snapshot of an earlier run. */
  forgotten?: Forgotten;
}
