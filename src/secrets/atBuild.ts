import type { Log } from '../log.ts';
import type { KnownSecret } from '../model/index.ts';
import { fixForStartOnly, isSecretSetting, isStartOnly, partsOf, searchableSecrets } from '../scan/known/index.ts';
import { scrubFiles } from '../scan/scrub.ts';
import { type Placeholders, withPlaceholders } from './placeholders.ts';

/** What becomes of the secrets among the app's variables while it is warmed. */
export const SECRETS_AT_BUILD = ['real', 'placeholder', 'scrub'] as const;

export type SecretsAtBuild = (typeof SECRETS_AT_BUILD)[number];

/**
 * What becomes of them where the user has not said it: a secret that is left in the snapshot always fails a build, so secrets
 * are overwritten.
 */
export function defaultAtBuild(env: Record<string, string>): SecretsAtBuild {
  return secretNames(env).some((name) => !isStartOnly(name)) ? 'scrub' : 'real';
}

/** The variables that the app is warmed with; with `placeholder`, fakes stand in for the secrets among them. */
export function variablesAtBuild(mode: SecretsAtBuild, env: Record<string, string>, log: Log): Placeholders {
  const names = secretNames(env);
  if (mode === 'real' && names.length > 0)
    log.warning(`secrets-at-build is real: ${names.join(', ')} will be found in the snapshot.`);
  if (mode === 'scrub' && names.length > 0)
    log.info(`secrets-at-build is scrub: warmed with the real ${names.join(', ')}, to be overwritten in the snapshot`);
  if (mode !== 'placeholder') return { env, names: [], texts: [] };
  const placeholders = withPlaceholders(replaceable(mode, env, log));
  log.info(
    placeholders.names.length === 0
      ? 'secrets-at-build is placeholder, and no variable has a name or form that says it is a secret'
      : `warmed with placeholders in ${placeholders.names.join(', ')}`,
  );
  return { ...placeholders, env: { ...env, ...placeholders.env } };
}

/** Names of the variables whose secrets are not in the snapshot, so that production's are others than the app was warmed with. */
export function secretVariables(mode: SecretsAtBuild, env: Record<string, string>): string[] {
  if (mode === 'real') return [];
  return Object.entries(env)
    .filter(([name, value]) => !isStartOnly(name) && isSecretSetting(name, value))
    .map(([name]) => name);
}

/** With `scrub`, what overwrites the secrets among the variables in the files of a snapshot; undefined otherwise. */
export function scrubber(
  mode: SecretsAtBuild,
  env: Record<string, string>,
  log: Log,
): ((directory: string) => Promise<void>) | undefined {
  if (mode !== 'scrub') return undefined;
  return async (directory) => {
    const secrets = searchableSecrets(secretsToScrub(replaceable(mode, env, log)), log);
    const scrubbed = await scrubFiles(directory, secrets);
    for (const { name } of secrets) log.info(`overwritten in the snapshot: ${scrubbed.get(name) ?? 0} x ${name}`);
  };
}

/** The variables whose value may differ between build and production. */
function replaceable(mode: SecretsAtBuild, env: Record<string, string>, log: Log): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => {
      if (!isStartOnly(name)) return true;
      if (isSecretSetting(name, value))
        log.warning(`secrets-at-build: ${mode} leaves ${name} as it is. ${fixForStartOnly(name)}`);
      return false;
    }),
  );
}

/** Names of the variables that are secrets. */
function secretNames(env: Record<string, string>): string[] {
  return Object.keys(env).filter((name) => isSecretSetting(name, env[name]!));
}

/** Of a connection string, URL, key or document only the secret parts: the app goes on with the rest. */
function secretsToScrub(env: Record<string, string>): KnownSecret[] {
  return Object.entries(env)
    .filter(([name, value]) => isSecretSetting(name, value))
    .flatMap(([name, value]) => {
      const secret = { name: `environment ${name}`, value };
      const parts = partsOf(secret).slice(1);
      const lines = [...value.matchAll(/^[A-Za-z0-9+/]{16,}={0,2}\r?$/gm)].map(([line]) => line.trim());
      const keys = /PRIVATE KEY/.test(value)
        ? lines.map((line) => ({ name: `${secret.name} (PEM)`, value: line }))
        : [];
      return parts.length + keys.length > 0 ? [...parts, ...keys] : [secret];
    });
}
