import type { Finding } from '../../model/findings.ts';
import { fixForStartOnly, isStartOnly } from '../known/index.ts';

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
];

/** What a build does about the secrets among the variables that it gives to the app. */
export interface AtBuild {
  mode: 'real' | 'placeholder' | 'scrub';
  /** Names of those variables. */
  given: readonly string[];
}

/** A variable, secret or setting, by what is done already: to advise that again would help nobody. */
function fixForSetting(description: string, encoding: string, atBuild: AtBuild | undefined): string | undefined {
  if (!/\b(?:environment|secret|configuration) /.test(description)) return undefined;
  const variables = [...description.matchAll(/\benvironment ([^\s,]+)/g)].map(([, name]) => name!);
  const startOnly = variables.find((name) => isStartOnly(name));
  if (startOnly !== undefined) return fixForStartOnly(startOnly);
  if (atBuild === undefined || atBuild.mode === 'real') return PLACEHOLDER;
  const given = variables.some((name) => atBuild.given.includes(name));
  if (!given)
    return `\`secrets-at-build: ${atBuild.mode}\` reaches only secrets among \`env\`, and the app has this one from elsewhere, such as its image, its files or a service: give it by \`env\`, or let it reach the app after the restore.`;
  return atBuild.mode === 'scrub'
    ? `\`secrets-at-build: scrub\` does not reach this copy (${encoding}): let the app drop it in a hook before the checkpoint, or warm it with \`placeholder\`.`
    : 'The app was warmed with a placeholder in its place, and has it from elsewhere, such as its image, its files or a service: take it out there.';
}

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
    encoding,
    mapping,
    mappedFile,
    age,
  }: Pick<Finding, 'ruleId' | 'description' | 'encoding' | 'mapping' | 'mappedFile' | 'age'>,
  ruleFix: string,
  atBuild?: AtBuild,
): string {
  const bySource =
    ruleId === 'known-value'
      ? (BY_SOURCE.find(([source]) => source.test(description))?.[1] ?? fixForSetting(description, encoding, atBuild))
      : undefined;
  const place = BY_MAPPING[mapping];
  const file = mapping === 'code or data of a file' && mappedFile !== undefined ? ` (${mappedFile})` : '';
  return [
    ...(place === undefined ? [] : [place.replace(/:/, `${file}:`)]),
    ...(age === 'garbage' ? ['Nothing refers to it any more: it goes when its memory is used again.'] : []),
    bySource ?? ruleFix,
  ].join(' ');
}
