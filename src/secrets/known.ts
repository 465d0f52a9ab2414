import { dirname } from 'node:path';
import type { Inputs } from '../inputs.ts';
import type { AppImage, KnownSecret, PublishedApp, Source, Traffic } from '../model/index.ts';
import {
  partsOf,
  secretsOfAppSettings,
  secretsOfEnvironment,
  secretsOfTraffic,
  secretsOfUserSecrets,
} from '../scan/known/index.ts';

/** What a build knows before the app is started. */
export interface KnownBefore {
  inputs: Pick<Inputs, 'env' | 'secrets'> & Partial<Pick<Inputs, 'source' | 'productionEnv'>>;
  app?: Pick<AppImage, 'env'>;
  published?: Pick<PublishedApp, 'directory' | 'project'>;
  traffic?: Pick<Traffic, 'exchanges'>;
}

/**
 * Every secret that a build knows before the app is started: those that were given, of the build's environment and of
 * the app's, of the traffic, of the app's configuration files and of its user secrets.
 */
export async function secretsBefore(
  { inputs, app, published, traffic }: KnownBefore,
  environment: Record<string, string>,
): Promise<KnownSecret[]> {
  const { source } = inputs;
  const project = published?.project ?? (source?.kind === 'project' ? source.path : undefined);
  const folders = [
    ...(published ? [published.directory] : []),
    ...(project === undefined ? [] : [/\.(\w+proj|slnx?|cs)$/i.test(project) ? dirname(project) : project]),
    ...(source?.kind === 'dockerfile' ? [source.context ?? dirname(source.path)] : []),
  ];
  const ofFiles = await Promise.all([
    ...folders.map(secretsOfAppSettings),
    ...(project === undefined ? [] : [secretsOfUserSecrets(project, environment)]),
  ]);
  return [
    ...inputs.secrets.flatMap(partsOf),
    // Each by itself: the same name may stand for another value in each.
    ...[environment, app?.env ?? {}, inputs.env, inputs.productionEnv ?? {}].flatMap((variables) =>
      secretsOfEnvironment(variables),
    ),
    ...(source?.kind === 'dockerfile' ? secretsOfDockerfile(source, environment) : []),
    ...secretsOfTraffic(traffic?.exchanges ?? []),
    ...ofFiles.flat(),
  ];
}

/** What a Dockerfile is built with: secrets from variables, and arguments whose names are those of secrets. */
function secretsOfDockerfile(
  { secrets, buildArguments }: Extract<Source, { kind: 'dockerfile' }>,
  environment: Record<string, string>,
): KnownSecret[] {
  const variables = secrets.flatMap((secret) => /(?:^|,)env=([^,]+)/.exec(secret)?.[1] ?? []);
  return [
    ...variables.flatMap((name) =>
      environment[name] ? partsOf({ name: `build secret ${name}`, value: environment[name], explicit: true }) : [],
    ),
    ...secretsOfEnvironment(buildArguments),
  ];
}
