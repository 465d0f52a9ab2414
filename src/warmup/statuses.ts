import type { Answer } from '../model/index.ts';

type Seen = Pick<Answer, 'status' | 'path' | 'headers'>;

/** How many answers have which status, by ascending status. */
export function statusesOf(answers: readonly Seen[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** The same in words: `40 answers: 38 x 200, 2 x 302`. */
export function describeStatuses(answers: readonly Seen[]): string {
  const parts = Object.entries(statusesOf(answers)).map(([status, count]) => `${count} x ${status}`);
  return `${answers.length} answers: ${parts.join(', ')}`;
}

/** Answers that middleware gives before code of the app is asked, and how the traffic gets past it. */
const BEFORE_THE_APP: { is: (answer: Seen) => boolean; what: string; fix: string }[] = [
  {
    is: isHttpsRedirection,
    what: 'redirect to HTTPS',
    fix: 'Let the app listen by HTTPS at `port`, or set ASPNETCORE_FORWARDEDHEADERS_ENABLED=true in `env` and send the header x-forwarded-proto: https.',
  },
  {
    is: ({ status }) => status === 401 || status === 403,
    what: 'refuse it as not allowed (401, 403)',
    fix: 'Let the first request log in, and capture what the others need.',
  },
  {
    is: ({ status }) => status === 400 || status === 404 || status === 405,
    what: 'find nothing to do (400, 404, 405)',
    fix: 'Compare paths, methods and `host` with what the app serves.',
  },
];

/**
 * A sentence where more than half of the answers were given before the app's own code was asked, as far as statuses
 * tell; undefined otherwise.
 */
export function unreached(answers: readonly Seen[]): string | undefined {
  const kinds = BEFORE_THE_APP.map(({ is, ...kind }) => ({ ...kind, count: answers.filter(is).length }));
  const before = kinds.reduce((sum, { count }) => sum + count, 0);
  if (before * 2 <= answers.length) return undefined;
  const { what, fix } = kinds.sort((a, b) => b.count - a.count)[0]!;
  return `${before} of ${answers.length} answers seem not to come from the app’s own code, so that it is hardly warmed: most ${what}. ${fix}`;
}

/** As UseHttpsRedirection answers: the same path, by https. */
function isHttpsRedirection({ status, path, headers: { location } }: Seen): boolean {
  if (status < 301 || status > 308 || location === undefined || !location.startsWith('https://')) return false;
  return location.replace(/^https:\/\/[^/]*/, '').split('#', 1)[0] === path;
}
