import type { Docker } from '../engine/docker.ts';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Answer, Replay, Report, Traffic } from '../model/index.ts';
import { type CloneOptions, withClone } from './clone.ts';
import { compareAnswers, formatDifferences, learnReference, type Reference } from './compare.ts';
import { generatedIn } from './generated.ts';
import { type CloneValues, compareClones, formatShared, type SharedValue, type UniqueValue } from './unique.ts';

export interface VerifyOptions extends CloneOptions {
  /** How many clones are restored, one after the other. */
  clones: number;
}

/** What verify works with. */
export interface VerifyTools {
  docker: Docker;
  replay: Replay;
  /** Asks the companion in a restored container for values that no other clone may have. */
  unique: (container: string) => Promise<UniqueValue[]>;
  log: Log;
}

/**
 * Restores the final image in the strictest container that production may run it in, replays the traffic, and compares the answers with those from
 * before the checkpoint and the clones with each other. Throws DS5002 where it does not restore, DS5003 where answers
 * differ, DS5004 where clones are equal in what must be unique.
 */
export async function verify(
  traffic: Traffic,
  before: Answer[][],
  options: VerifyOptions,
  tools: VerifyTools,
): Promise<Required<Report['verify']>> {
  const [first, second, ...more] = before;
  const reference = first && second ? learnReference(first, second, ...more) : undefined;
  const clones: CloneValues[] = [];
  let answersCompared = 0;
  for (let clone = 1; clone <= options.clones; clone++) {
    const { made, answers } = await withClone(options, 'verify', tools.docker, async (container, origin) => {
      // Before the replay: generators that were copied give the same values first, and go apart with use.
      const made = await tools.unique(container);
      return { made, answers: await tools.replay(traffic, { origin }) };
    });
    requireAsBefore(answers, reference);
    clones.push({ made, answered: generatedIn(answers) });
    answersCompared += answers.length;
    tools.log.info(`clone ${clone} of ${options.clones}: ${answers.length} answers as before the checkpoint`);
  }
  const { valuesCompared, shared } = compareClones(clones, { before, traffic });
  requireUnique(shared, options.clones);
  tools.log.info(`none of ${valuesCompared} values that must be unique is equal to another`);
  return { clones: options.clones, answersCompared, valuesCompared };
}

function requireAsBefore(answers: Answer[], reference: Reference | undefined): void {
  const unmet = answers.filter((answer) => answer.unmet.length > 0);
  const differences = reference ? compareAnswers(reference, answers) : [];
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
