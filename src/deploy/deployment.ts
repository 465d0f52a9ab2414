import type { ContainerSpec } from '../engine/container.ts';
import type { Manifest } from '../model/index.ts';

/** What deployment files are made of. */
export interface Deployment {
  /** How `dotnet-snapshot run` starts the image. */
  spec: ContainerSpec;
  /** The image's USER: a name or a number, with or without a group. */
  imageUser: string;
  /** A DNS label: name of the service and of everything else that gets one. */
  name: string;
  port: number;
  readyPath: string;
  /** What else is known of how the app is met. */
  ready?: Omit<NonNullable<Manifest['ready']>, 'port' | 'path'>;
  manifest: Pick<Manifest, 'id' | 'process' | 'host' | 'files'>;
}

/**
 * How long a stop may take, in seconds: a .NET host gives its services 30 s by default, and then there must be time left
 * to end.
 */
export const STOP_SECONDS = 35;

/** Whether the app is sent requests; a worker has no port and no Service. */
export function isServer({ ready }: Pick<Deployment, 'ready'>): boolean {
  return ready?.protocol !== undefined || (ready?.by ?? 'http') === 'http' || ready?.by === 'port';
}

const MIB = 2 ** 20;

/** Memory to ask for and not to exceed, in MiB: a guess from the snapshot's size, to be replaced by what is measured. */
export function memoryOf({ files }: Pick<Manifest, 'files'>): { request: number; limit: number } {
  const snapshot = Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
  const request = Math.ceil((snapshot / MIB + 64) / 32) * 32;
  return { request, limit: 2 * request };
}

/** A name that every kind of resource takes: lower-case letters, digits and hyphens, a letter first, 63 characters. */
export function resourceName(name: string): string {
  const spelled = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return (/^[a-z]/.test(spelled) ? spelled : `app-${spelled.replace(/^-/, '')}`).slice(0, 63).replace(/-+$/, '');
}
