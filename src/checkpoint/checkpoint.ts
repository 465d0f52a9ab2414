import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Docker } from '../engine/docker.ts';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Access, AppImage, Manifest, PublishedApp, Snapshot } from '../model/index.ts';
import { manifestSchema } from '../model/manifest.ts';
import type { Control, Preparation } from './control.ts';
import { diagnose } from './diagnosis.ts';
import { type FileOptions, type KeepOrder, keptFiles, requireKnownSqlite, surveyFiles } from './files.ts';
import { describeFiles } from './imageFiles.ts';

/** Folder inside the warming container that the dump is written to. */
export const CHECKPOINT_FOLDER = '/opt/dotnet-snapshot/checkpoint';

/** Throws DS3005 where the container holds no CRIU, DS3004 where its kernel can't be used. Returns CRIU's version. */
export async function preflight(control: Control): Promise<string> {
  const version = await control.criu(['--version']);
  const criuVersion = /Version: (\S+)/.exec(version.stdout)?.[1];
  if (version.code !== 0 || !criuVersion)
    throw new SnapshotError('DS3005', 'There is no working CRIU in the container.', { detail: version.stderr });
  const check = await control.criu(['check', '--unprivileged']);
  // Only a restore by CRIU would write to ns_last_pid, which is read-only in containers.
  const missing = `${check.stdout}${check.stderr}`
    .split('\n')
    .filter((line) => /Error \(/.test(line) && !line.includes('ns_last_pid'));
  if (missing.length > 0)
    throw new SnapshotError('DS3004', 'The kernel lacks what CRIU needs.', { detail: missing.join('\n') });
  return criuVersion;
}

export interface DumpOptions {
  /** The app goes on instead of ending: `held` with its requests held and its timers stopped, so that it can be dumped again. */
  keepRunning?: boolean | 'held';
  /** Folder inside the container that the images are written to; {@link CHECKPOINT_FOLDER} where absent. */
  imagesFolder?: string;
  /** The most bytes of a deleted file that the app has open. */
  filesLimit: number;
}

/** Dumps the app as its own user; the images stay in the container. Throws DS3003 or DS2006. */
export async function dump(
  control: Control,
  pid: number,
  { words, leave }: KeepOrder,
  { keepRunning = false, imagesFolder = CHECKPOINT_FOLDER, filesLimit }: DumpOptions,
): Promise<void> {
  const keep = {
    DOTNET_SNAPSHOT_KEEP: imagesFolder,
    DOTNET_SNAPSHOT_PLACES: words.join('\n'),
    DOTNET_SNAPSHOT_LEAVE: leave.join('\n'),
  };
  const args = [
    'dump',
    '--unprivileged',
    '--tree',
    String(pid),
    '--images-dir',
    imagesFolder,
    '-v2',
    '--manage-cgroups=ignore',
    // Connections can't follow into another container; the app sees them closed.
    '--tcp-close',
    // .NET locks each file that it opens.
    '--file-locks',
    '--ghost-limit',
    String(Math.max(filesLimit, 2 ** 20)),
    // Copies the files that the app made, while it is stopped.
    '--action-script',
    control.launcher,
    ...(keepRunning !== false ? ['--leave-running'] : []),
  ];
  const result = await control.criu(args, keep);
  // CRIU writes its log to standard error, which also a full disk lets through.
  if (result.code !== 0) throw diagnose(`${result.stdout}${result.stderr}`);
}

export interface CheckpointContext extends DumpOptions, FileOptions {
  name: string;
  app: AppImage;
  /** How the app was met. */
  access: Access;
  published?: Pick<PublishedApp, 'targetFramework' | 'assembly'>;
  /** Absent where the app was not warmed by the replay of a traffic file. */
  traffic?: Manifest['traffic'];
  criuVersion: string;
  /** Path inside the container of the description of CRIU's image files. */
  imageDescriptors: string;
  /** What the snapshot may ask of a CPU, of the machine and of whether all that choose by its CPU will choose anew. */
  cpu: (host: Manifest['host'], choosesAnew: boolean) => NonNullable<Manifest['cpu']>;
  /** Texts of the fakes that the app was warmed with in place of secrets. */
  placeholders?: readonly string[];
  /** Overwrites what must not be in the images, before anything is computed of them. */
  scrub?: (directory: string) => Promise<void>;
  /** Where the snapshot is put; replaced if it exists. */
  directory: string;
}

/**
 * Takes the checkpoint of the warmed app: prepares it, dumps it, copies the images out, and writes down what the
 * restore must know. The app has ended when this returns, unless `keepRunning` says otherwise.
 */
export async function checkpoint(
  container: string,
  control: Control,
  context: CheckpointContext,
  { docker, log }: { docker: Docker; log: Log },
): Promise<Snapshot> {
  const runtime = await control.runtime();
  const canaries = await control.canaries();
  const preparation = await control.prepare(context.access);
  tellPreparation(preparation, context.access, log);
  await control.requireAppAlone();
  const process = await control.process();
  const { appFiles, semaphores } = await control.files();
  const order = await surveyFiles(container, (words) => control.written(words), context, { docker, log });
  await dump(control, process.pid, order, context);
  if (context.keepRunning === true) await control.resume();

  await rm(context.directory, { recursive: true, force: true });
  await mkdir(context.directory, { recursive: true });
  await docker.copyOut(container, `${context.imagesFolder ?? CHECKPOINT_FOLDER}/.`, context.directory);
  await docker.copyOut(container, context.imageDescriptors, join(context.directory, 'images.desc'));
  const kept = await keptFiles(context.directory, order);
  await requireKnownSqlite(context.directory, kept, preparation.sqlite);
  await context.scrub?.(context.directory);
  const files = await describeFiles(context.directory);
  const { pid, uid, gid, stdout, stderr, controlIn, controlOut } = process;
  const host = {
    kernel: process.kernel,
    architecture: process.architecture,
    cpuFeatures: process.cpuFeatures.split(' ').filter(Boolean),
    monotonicSeconds: process.monotonicSeconds,
  };
  const manifest: Manifest = {
    schemaVersion: 1,
    id: createHash('sha256').update(JSON.stringify(files)).digest('hex').slice(0, 12),
    name: context.name,
    createdAt: new Date().toISOString(),
    app: {
      command: context.app.command,
      imageId: context.app.id,
      baseImage: context.app.baseImage,
      ...(context.app.baseImageId !== undefined && { baseImageId: context.app.baseImageId }),
      ...(context.published && {
        targetFramework: context.published.targetFramework,
        assembly: context.published.assembly,
      }),
    },
    runtime,
    process: { pid, uid, gid, stdout, stderr, controlIn, controlOut },
    host,
    cpu: context.cpu(host, preparation.choosesAnew),
    criu: { version: context.criuVersion },
    hookSeconds: preparation.hookSeconds,
    ready: readyOf(context.access),
    ...(context.traffic && { traffic: context.traffic }),
    files,
    appFiles,
    ...(context.places.writable.length + context.places.mounts.length > 0 && { places: context.places }),
    kept,
    semaphores,
    canaries,
    ...(context.placeholders?.length && { placeholders: [...context.placeholders] }),
  };
  return {
    directory: context.directory,
    manifest,
    bytes: Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0),
    forgotten: { keys: preparation.forgottenKeys, tokens: preparation.endedTokens },
  };
}

/** What the manifest says of how the app is met. */
function readyOf({ port, readyPath: path, ready, protocol, host }: Access): NonNullable<Manifest['ready']> {
  return {
    ...{ port, path, by: ready.by, host },
    ...(ready.by === 'command' && { argv: ready.argv }),
    ...(protocol !== undefined && { protocol }),
  };
}

/** Says what was done to the app before its checkpoint, and what a restored clone will find lost. */
export function tellPreparation(
  { clearedPools, clearedLeftovers, startReads, open, waiting, gate, inFlight, jitQuiet }: Preparation,
  { ready }: Pick<Access, 'ready'>,
  log: Log,
): void {
  if (clearedPools.length > 0) log.info(`emptied connection pools: ${clearedPools.join(', ')}`);
  if (clearedLeftovers.length > 0) log.info(`cleared of what requests left in them: ${clearedLeftovers.join(', ')}`);
  const { variables, keys, unread } = startReads;
  if (variables.length + keys.length > 0)
    log.info(
      `where production has another value of one of these, the app is started normally: ${printable([...variables, ...keys].join(', '))}`,
    );
  if (unread.length > 0)
    log.warning(
      `${printable(unread.join(', '))} could not be searched for settings that only the start reads: name those that production changes in --env, with production's values.`,
    );
  if (open.length > 0) log.info(`still open: ${open.join(', ')}`);
  for (const items of waiting)
    log.warning(
      `${items}: the warmup left this, and every clone will take it up; empty the queue in RegisterBeforeCheckpoint.`,
    );
  if (!gate && ready.by === 'http')
    log.warning("Requests can't be held while the app is made safe after a restore: it has no ASP.NET Core host.");
  if (!jitQuiet) log.info('the JIT is still at work, and will be for a moment in each restored app');
  if (inFlight > 0)
    log.warning(
      `${inFlight} request(s) had not ended at the checkpoint; in a restored app their connections are closed.`,
    );
}

/** Reads and checks a manifest. Throws DS6002 where there is none or it is not one. */
export async function readManifest(file: string): Promise<Manifest> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) throw new SnapshotError('DS6002', `There is no manifest at ${file}.`);
  return parseManifest(text, file);
}

/** Checks the text of a manifest; `source` says where it is from. Throws DS6002 where it is none. */
export function parseManifest(text: string, source: string): Manifest {
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new SnapshotError('DS6002', `${source} is not a manifest of version 1.`, {
    detail: parsed.error.issues
      .slice(0, 5)
      .map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('\n'),
  });
}

/** Undefined for what is no JSON: the parser's message would show some of the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Names come from the app's assemblies, where any character is allowed. */
function printable(text: string): string {
  return text.replace(/\p{C}/gu, '?');
}
