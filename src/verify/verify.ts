import { setTimeout as sleep } from 'node:timers/promises';
import type { ColdImage } from '../engine/cold.ts';
import type { Docker } from '../engine/docker.ts';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Answer, Replay, Report, Traffic } from '../model/index.ts';
import { type CarriedValue, carriedOver, PROVEN } from './carried.ts';
import { type CloneOptions, withClone } from './clone.ts';
import { compareAnswers, formatDifferences, learnReference, learnWithControl, printable } from './compare.ts';
import { ColdStarts } from './control.ts';
import { generatedIn } from './generated.ts';
import { newValues } from './places.ts';
import { compareClones, formatShared, type SharedValue, type UniqueValue } from './unique.ts';

export interface VerifyOptions extends CloneOptions {
  /** How many clones are restored, one after the other. */
  clones: number;
  /** The app's own image and the user it runs as, for normal starts to compare with; where absent, there are none. */
  cold?: ColdImage;
}

/** What verify works with. */
export interface VerifyTools {
  docker: Docker;
  replay: Replay;
  /** Asks the companion in a restored container for values that no other clone may have. */
  unique: (container: string) => Promise<UniqueValue[]>;
  log: Log;
}

/** One restored clone: what its companion made, and its answers to the traffic. */
interface Clone {
  made: UniqueValue[];
  answers: Answer[];
}

/** How often each clone of several is sent the traffic: what is new in each answer shows by the second. */
const ROUNDS = 2;
/** How many more clones are restored, each after another normal start, where it is not clear yet whether values are carried over. */
const MOST_FURTHER = 5;

const CARRIED_FIX =
  'Make anew in RegisterAfterRestore what these values come from: the generator, its seed, worker number or counter. docs/clones.md lists the libraries whose generators are renewed without it.';

/**
 * Restores the final image in the strictest container that production may run it in, replays the traffic, and compares the answers with those from
 * before the checkpoint and the clones with each other. What seems wrong is held against normal starts of the app's own
 * image: what differs between these may differ, what is equal in them may be equal. Throws DS5002 where it does not restore,
 * DS5003 where answers differ, DS5004 where clones are equal in what must be unique.
 */
export async function verify(
  traffic: Traffic,
  before: Answer[][],
  options: VerifyOptions,
  tools: VerifyTools,
): Promise<Required<Report['verify']>> {
  const clones: Clone[] = [];
  const { cold: coldImage } = options;
  const cold = coldImage && new ColdStarts(traffic, { ...options, cold: coldImage }, tools, ROUNDS);
  const rounds = options.clones > 1 ? ROUNDS : 1;
  const restore = (): Promise<void> =>
    withClone(options, 'verify', tools.docker, async (container, target) => {
      // Before the replay: generators that were copied give the same values first, and go apart with use.
      const made = await tools.unique(container);
      const answers: Answer[] = [];
      for (let round = 1; round <= rounds; round++) answers.push(...(await tools.replay(traffic, target)));
      if (answers.length === 0) await requireRunning(container, tools.docker);
      await requireAsBefore(answers, before, cold);
      clones.push({ made, answers });
      if (clones.length > options.clones) return;
      const said = answers.length === 0 ? 'ready' : `${answers.length} answers as before the checkpoint`;
      tools.log.info(`clone ${clones.length} of ${options.clones}: ${said}`);
      // The second runs beside the first, so that no address is the same in all of them.
      if (clones.length === 1 && options.clones > 1) await restore();
    });
  while (clones.length < options.clones) await restore();
  const { valuesCompared, shared } = compareClones(
    clones.map(({ made, answers }) => ({ made, answered: generatedIn(answers) })),
    { before, traffic },
  );
  requireUnique(shared, options.clones);
  if (cold && options.clones > 1) await requireNothingCarried(clones, cold, restore, tools.log);
  tools.log.info(`none of ${valuesCompared} values that must be unique is equal to another`);
  return {
    clones: options.clones,
    answersCompared: clones.slice(0, options.clones).reduce((sum, { answers }) => sum + answers.length, 0),
    valuesCompared,
  };
}

/** How long a clone that is sent nothing must have gone on, in milliseconds. */
const GOES_ON_MS = 1000;

/** What an app without traffic does wrong after its restore is seen by its end alone. */
async function requireRunning(container: string, docker: Docker): Promise<void> {
  await sleep(GOES_ON_MS);
  const { running, exitCode } = await docker.state(container);
  if (running) return;
  throw new SnapshotError('DS5002', `The restored app ended with exit code ${exitCode} soon after it was ready.`, {
    detail: await docker.logs(container),
    fix: 'Mend what the log shows: the app does not go on from its checkpoint.',
  });
}

async function requireAsBefore(
  answers: Answer[],
  [first, second, ...more]: Answer[][],
  cold: ColdStarts | undefined,
): Promise<void> {
  const unmet = answers.filter((answer) => answer.unmet.length > 0);
  let differences = first && second ? compareAnswers(learnReference(first, second, ...more), answers) : [];
  if (first && second && unmet.length === 0 && differences.length > 0 && cold)
    differences = compareAnswers(learnWithControl([first, second, ...more], await cold.pair()), answers);
  if (differences.length === 0 && unmet.length === 0) return;
  throw new SnapshotError('DS5003', 'The restored app does not answer as it did before the checkpoint.', {
    detail:
      differences.length > 0
        ? formatDifferences(differences)
        : unmet
            .map((answer) => `${answer.exchange}: ${answer.unmet.join('; ')}`)
            .slice(0, 20)
            .join('\n'),
  });
}

function requireUnique(shared: SharedValue[], restored: number): void {
  if (shared.length === 0) return;
  const sharing = new Set(shared.flatMap(({ clones }) => clones)).size;
  const values = shared.length === 1 ? 'a value' : `${shared.length} values`;
  const cause =
    sharing === 1
      ? `A restored clone made ${values} twice that must be unique.`
      : `${sharing} of ${restored} clones share ${values} that must be unique.`;
  throw new SnapshotError('DS5004', cause, { detail: formatShared(shared) });
}

/**
 * Looks for values that the clones make alike, and normal starts do not. Chance is ruled out by more of both. The last is
 * always a clone: of a time, clones before and after normal starts can only have that in common which these have, too.
 */
async function requireNothingCarried(
  clones: Clone[],
  cold: ColdStarts,
  restore: () => Promise<unknown>,
  log: Log,
): Promise<void> {
  for (let further = 0; ; further++) {
    const hasControl = further > 0;
    const found = carriedOver(
      clones.map(({ answers }) => newValues(answers)),
      hasControl ? cold.answers.map(newValues) : [],
    );
    for (const { place, form, evidence } of found)
      log.debug(`clones may have in common: ${printable(place)} (${form}), ${evidence.toFixed(1)} bits`);
    if (found.length === 0) return;
    const proven = hasControl ? found.filter(({ evidence }) => evidence >= PROVEN) : [];
    if (proven.length > 0) throw carriedError(proven, clones.length, cold.answers.length);
    if (further === MOST_FURTHER) {
      for (const { place, form } of found)
        log.warning(
          `${printable(place)} (${form}) has a few bits in common in ${clones.length} clones, too few to tell whether it is by chance`,
        );
      return;
    }
    if (hasControl) await cold.another();
    else await cold.pair();
    await restore();
  }
}

function carriedError(found: CarriedValue[], clones: number, starts: number): SnapshotError {
  const values = found.length === 1 ? 'a value' : `${found.length} values`;
  const lines = found
    .slice(0, 20)
    .map(
      ({ place, form, whole }) =>
        `${printable(place)} (${form}): ${whole ? 'equal' : 'equal in part'} in ${clones} clones, different in ${starts} normal starts`,
    );
  if (found.length > lines.length) lines.push(`and ${found.length - lines.length} more`);
  return new SnapshotError('DS5004', `Clones make ${values} alike, from something that the snapshot holds.`, {
    detail: lines.join('\n'),
    fix: CARRIED_FIX,
  });
}
