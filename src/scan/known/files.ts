import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import type { KnownSecret } from '../../model/findings.ts';
import { named } from './environment.ts';
import { jsonEntries, parseJson } from './json.ts';
import { partsOf } from './parts.ts';
import { shownName } from './setting.ts';

/** Folders that hold no configuration of the app itself. */
const SKIPPED = new Set(['bin', 'obj', 'node_modules', 'TestResults']);

/** How far below a folder configuration files are looked for, and how many are read. */
const MAX_DEPTH = 3;
const MAX_FILES = 200;

/** Larger files are no configuration; in bytes. */
const MAX_BYTES = 4 * 1024 * 1024;

/** The secrets of `appsettings*.json` in a folder and below it, by the names of their keys. */
export async function secretsOfAppSettings(folder: string): Promise<KnownSecret[]> {
  const secrets: KnownSecret[] = [];
  for (const file of (await settingsFiles(folder, 0)).slice(0, MAX_FILES)) {
    const settings = (await entriesOf(file)).map(({ key, value }) => [key, value] as const);
    secrets.push(...named(relative(folder, file).split(sep).join('/'), settings));
  }
  return secrets;
}

async function settingsFiles(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const found: string[] = [];
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isFile() && /^appsettings(?:\..*)?\.json$/i.test(entry.name)) found.push(path);
    const skipped = SKIPPED.has(entry.name) || entry.name.startsWith('.');
    if (entry.isDirectory() && !skipped && depth < MAX_DEPTH) found.push(...(await settingsFiles(path, depth + 1)));
  }
  return found;
}

/**
 * The .NET user secrets of a project, all of them. `project` is its file or folder, `environment` tells where this
 * user's are kept. None where the project has no UserSecretsId or nothing was stored under it.
 */
export async function secretsOfUserSecrets(
  project: string,
  environment: Record<string, string>,
): Promise<KnownSecret[]> {
  const secrets: KnownSecret[] = [];
  for (const id of await userSecretsIds(project)) {
    for (const folder of userSecretsFolders(environment)) {
      const entries = await entriesOf(join(folder, id, 'secrets.json'));
      for (const { key, value } of entries.filter((entry) => entry.value !== '')) {
        const { shown, hidden } = shownName(key);
        secrets.push(...partsOf({ name: `user secret ${shown}`, value, explicit: true }));
        secrets.push(...hidden.map((text) => ({ name: `user secret ${shown} (name)`, value: text })));
      }
    }
  }
  return secrets;
}

/** As Microsoft.Extensions.Configuration.UserSecrets looks them up. */
function userSecretsFolders(environment: Record<string, string>): string[] {
  const { APPDATA, HOME, DOTNET_USER_SECRETS_FALLBACK_DIR } = environment;
  return [
    ...(APPDATA ? [join(APPDATA, 'Microsoft', 'UserSecrets')] : []),
    ...[HOME, DOTNET_USER_SECRETS_FALLBACK_DIR].flatMap((home) =>
      home ? [join(home, '.microsoft', 'usersecrets')] : [],
    ),
  ];
}

/** Of the project file, and of the Directory.Build.props that it imports. */
async function userSecretsIds(project: string): Promise<Set<string>> {
  const isFolder = (await stat(project).catch(() => undefined))?.isDirectory() ?? false;
  let folder = resolve(isFolder ? project : dirname(project));
  const files = isFolder
    ? (await readdir(folder)).filter((name) => /\.(cs|fs|vb)proj$/.test(name)).map((name) => join(folder, name))
    : [project];
  for (let below = ''; folder !== below; folder = dirname(folder)) {
    files.push(join(folder, 'Directory.Build.props'));
    below = folder;
  }
  const ids = new Set<string>();
  for (const file of files) {
    const text = await readText(file);
    // An id is a name of one folder; `$(…)` only MSBuild could tell.
    for (const [, id] of text.matchAll(/<UserSecretsId>\s*([\w.-]+)\s*<\/UserSecretsId>/g)) {
      if (!/^\.+$/.test(id!)) ids.add(id!);
    }
  }
  return ids;
}

async function entriesOf(file: string) {
  return jsonEntries(parseJson(await readText(file)));
}

/** Empty where the file can't be read: what isn't there holds no secret. */
async function readText(file: string): Promise<string> {
  const info = await stat(file).catch(() => undefined);
  if (!info?.isFile() || info.size > MAX_BYTES) return '';
  return readFile(file, 'utf8').catch(() => '');
}
