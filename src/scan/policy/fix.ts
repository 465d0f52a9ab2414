import type { Finding } from '../../model/findings.ts';

const PLACEHOLDER =
  'Warm the app with `secrets-at-build: placeholder`, or `scrub` where it needs the real value while it is warmed; restored clones get production’s.';

/** What to do about a known value, by where the build knows it from. */
const BY_SOURCE: readonly [RegExp, string][] = [
  [/\btraffic "/, 'Record the traffic with a test credential that is worth nothing elsewhere.'],
  [
    /\banswer to "/,
    'The app gave it out while it was warmed: leave that request out, or let the app forget the session in a hook before the checkpoint.',
  ],
  [/\bappsettings\b/, `Take it out of the published file and give it by the environment. ${PLACEHOLDER}`],
  [/\buser secret /, 'User secrets are for development: publish and warm the app without them.'],
  [/\b(?:environment|secret|configuration) /, PLACEHOLDER],
];

/** What to do about the place, where that says more than the rule. */
const BY_MAPPING: Partial<Record<Finding['mapping'], string>> = {
  arguments: 'It is on the command line, which every process of the machine can read too: give it by the environment.',
  'socket queue': 'It was on its way through a socket: let the app finish its requests before the checkpoint.',
  pipe: 'It was on its way through a pipe, which is where logs go too: do not log it.',
  terminal: 'It was written to a terminal: do not log it.',
  'shared memory':
    'It is in memory shared with others, such as a mapped file: empty that in a hook before the checkpoint.',
  'code or data of a file': 'It is in a file that the app has loaded: take it out of that file.',
};

/** What to do about a finding: about its value by source or rule, and about its place. One line. */
export function fixFor(
  {
    ruleId,
    description,
    mapping,
    mappedFile,
    age,
  }: Pick<Finding, 'ruleId' | 'description' | 'mapping' | 'mappedFile' | 'age'>,
  ruleFix: string,
): string {
  const bySource = ruleId === 'known-value' ? BY_SOURCE.find(([source]) => source.test(description))?.[1] : undefined;
  const place = BY_MAPPING[mapping];
  const file = mapping === 'code or data of a file' && mappedFile !== undefined ? ` (${mappedFile})` : '';
  return [
    ...(place === undefined ? [] : [place.replace(/:/, `${file}:`)]),
    ...(age === 'garbage'
      ? [
          'Nothing refers to it any more: it goes when its memory is used again or scrubbed; `secrets-at-build: scrub` overwrites it.',
        ]
      : []),
    bySource ?? ruleFix,
  ].join(' ');
}
