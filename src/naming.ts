import { basename, dirname, resolve } from 'node:path';
import type { Inputs } from './inputs.ts';

/**
 * The app's name in reports, image tags and folders: the one that was given, else that of its project, Dockerfile's
 * folder or image; spelled as image names allow it.
 */
export function appName({ name, source }: Pick<Inputs, 'name' | 'source'>): string {
  if (name !== undefined) return spell(name);
  if (source.kind === 'image')
    return spell(
      source.reference
        .split('/')
        .at(-1)!
        .replace(/[:@].*$/, ''),
    );
  const path = resolve(source.path);
  return spell(
    source.kind === 'dockerfile' ? basename(dirname(path)) : basename(path).replace(/\.(cs|fs|vb)proj$/, ''),
  );
}

function spell(name: string): string {
  const allowed = name
    .replace(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return allowed || 'app';
}
