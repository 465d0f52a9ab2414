import type { Traffic } from '../model/index.ts';
import { placeholdersIn } from './template.ts';

/** The one Host that the traffic's requests name; undefined where they name none or several. */
export function hostOf({ exchanges }: Traffic): string | undefined {
  const named = new Set(exchanges.flatMap(({ headers }) => headers.host ?? []));
  const [host] = named;
  return named.size === 1 && placeholdersIn(host!).length === 0 ? host : undefined;
}
