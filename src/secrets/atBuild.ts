import type { Log } from '../log.ts';
import type { KnownSecret } from '../model/index.ts';
import { isSecretSetting, partsOf, searchableSecrets } from '../scan/known/index.ts';
import { scrubFiles } from '../scan/scrub.ts';
import { type Placeholders, withPlaceholders } from './placeholders.ts';

/** What becomes of the secrets among the app's variables while it is warmed. */
export const SECRETS_AT_BUILD = ['real', 'placeholder', 'scrub'] as const;

export type SecretsAtBuild = (typeof SECRETS_AT_BUILD)[number];

/**
 * Variables that only the start of a process reads, as runtime/companion/Surroundings.cs has them: a clone with another value
 * than the build's starts normally. A secret in one of them stays, and the scan finds it.
 */
const READ_AT_START =
  /^(?:(?:DOTNET|COMPlus|CORECLR|ASPNETCORE)_.*|LD_PRELOAD|LD_LIBRARY_PATH|GLIBC_TUNABLES|OPENSSL_CONF|URLS|HTTP_PORTS|HTTPS_PORTS)$/i;

/** The variables that the app is warmed with; with `placeholder`, fakes stand in for the secrets among them. */
export function variablesAtBuild(mode: SecretsAtBuild, env: Record<string, string>, log: Log): Placeholders {
  if (mode !== 'placeholder') return { env, names: [], texts: [] };
  const placeholders = withPlaceholders(replaceable(mode, env, log));
  log.info(
    placeholders.names.length === 0
      ? 'secrets-at-build is placeholder, and no variable has a name or form that says it is a secret'
      : `warmed with placeholders in ${placeholders.names.join(', ')}`,
  );
  return { ...placeholders, env: { ...env, ...placeholders.env } };
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
      if (!READ_AT_START.test(name)) return true;
      if (isSecretSetting(name, value))
        log.warning(`${name} is only read when the app starts, so secrets-at-build: ${mode} leaves it as it is.`);
      return false;
    }),
  );
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
