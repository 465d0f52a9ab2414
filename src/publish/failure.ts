import { SnapshotError } from '../errors.ts';
import type { ExecResult } from '../exec.ts';

/** What a failed `dotnet publish` tells: a feed that can't be used, a package that none has, or what the compiler says. */
export function failureOf(project: string, { stdout, stderr }: Pick<ExecResult, 'stdout' | 'stderr'>): SnapshotError {
  const lines = [...new Set(stdout.split('\n').filter((line) => /\berror\b/i.test(line)))].map(withoutCredentials);
  const detail = lines.slice(0, 20).join('\n') || withoutCredentials(`${stdout}${stderr}`);
  const refuse = (cause: string, fix: string) => new SnapshotError('DS2002', cause, { fix, detail });
  const restore = `The packages of ${project} can't be restored`;
  const errors = lines.join('\n');
  // The message may be in any language; the feed's address or its path in quotes is not.
  const [, address, path] = /error NU1301: .*?(?:(https?:\/\/[^\s'"]*[^\s'".,])|'([^']+)')/.exec(errors) ?? [];
  const feed = address ?? path;
  if (feed !== undefined)
    return refuse(
      `${restore}: the feed ${feed} ${/NU1301: .*\b(401|403)\b/.test(errors) ? 'refuses the credentials that it gets, or gets none' : "can't be used"}.`,
      'Let the build reach the feed. Its credentials belong in a nuget.config beside or above the project, or in the variable NuGetPackageSourceCredentials_NAME, where NAME is the feed’s name.',
    );
  const [, missing, asked] =
    /error NU110[1-3]: Unable to find (?:a stable )?package (\S+)(?:.*source\(s\): (.+))?/.exec(errors) ?? [];
  if (missing !== undefined) {
    const name = missing.replace(/[.']+$|^'/g, '');
    const feeds = asked ?? [...errors.matchAll(/version\(s\) in (.+?) \[/g)].map(([, found]) => found).join(', ');
    return refuse(
      `${restore}: ${name} is in none of the feeds in a version that is asked for${feeds && ` (${feeds.replace(/ \[.*/, '')})`}.`,
      'Add the feed that has it to a nuget.config beside or above the project; only the feeds named there are asked.',
    );
  }
  return new SnapshotError('DS2002', `dotnet publish failed for ${project}.`, { detail });
}

/** A text whose addresses have lost the user and password that stood in them. */
export function withoutCredentials(text: string): string {
  return text.replace(/(https?:\/\/)[^/@\s]*@/g, '$1');
}
