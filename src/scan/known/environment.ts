import type { KnownSecret } from '../../model/findings.ts';
import { partsOf } from './parts.ts';
import { isSecretSetting, shownName } from './setting.ts';

/** The secrets among environment variables, by name and by form; their names read like `environment DB_PASSWORD`. */
export function secretsOfEnvironment(env: Record<string, string>): KnownSecret[] {
  return named('environment', Object.entries(env));
}

/**
 * The secrets among the entries of the app's own configuration, wherever it has them from; their names read like
 * `configuration Jwt:SigningKey`.
 */
export function secretsOfConfiguration(entries: readonly { key: string; value: string }[]): KnownSecret[] {
  return named(
    'configuration',
    entries.map(({ key, value }) => [key, value]),
  );
}

/** The secrets among settings that `source` holds, with what an app may hold of each apart. */
export function named(source: string, settings: readonly (readonly [string, string])[]): KnownSecret[] {
  return settings.flatMap(([name, value]) => {
    const { shown, hidden } = shownName(name);
    const keys = hidden.map((key) => ({ name: `${source} ${shown} (name)`, value: key }));
    return isSecretSetting(name, value) ? [...partsOf({ name: `${source} ${shown}`, value }), ...keys] : keys;
  });
}
