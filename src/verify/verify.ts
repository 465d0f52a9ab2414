import { productionSpec } from '../engine/container.ts';
import type { Docker } from '../engine/docker.ts';
import { freePort, waitUntilReady } from '../engine/readiness.ts';
import { SnapshotError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Answer, Replay, Traffic } from '../model/index.ts';
import { compareAnswers, formatDifferences, learnReference } from './compare.ts';

export interface VerifyOptions {
  image: string;
  port: number;
  readyPath: string;
  readyMillis: number;
  seccompProfile: string;
  network?: string;
  /** How many clones are restored, one after the other. */
  clones: number;
}

/**
 * Restores the final image the way production runs it, replays the traffic, and compares the answers with those from
 * before the checkpoint. Throws DS5002 where it does not restore, DS5003 where answers differ.
 */
export async function verify(
  traffic: Traffic,
  before: Answer[][],
  options: VerifyOptions,
  { docker, replay, log }: { docker: Docker; replay: Replay; log: Log },
): Promise<{ clones: number; answersCompared: number }> {
  const [first, second, ...more] = before;
  const reference = first && second ? learnReference(first, second, ...more) : undefined;
  let answersCompared = 0;
  for (let clone = 1; clone <= options.clones; clone++) {
    const answers = await answersOfClone(traffic, options, docker, replay);
    const unmet = answers.filter((answer) => answer.unmet.length > 0);
    const differences = reference ? compareAnswers(reference, answers) : [];
    if (differences.length > 0 || unmet.length > 0)
      throw new SnapshotError('DS5003', 'The restored app does not answer as it did before the checkpoint.', {
        detail:
          differences.length > 0
            ? formatDifferences(differences)
            : unmet
                .map((answer) => `${answer.exchange}: ${answer.unmet.join('; ')}`)
                .slice(0, 20)
                .join('\n'),
      });
    answersCompared += answers.length;
    log.info(`clone ${clone} of ${options.clones}: ${answers.length} answers as before the checkpoint`);
  }
  return { clones: options.clones, answersCompared };
}

async function answersOfClone(
  traffic: Traffic,
  options: VerifyOptions,
  docker: Docker,
  replay: Replay,
): Promise<Answer[]> {
  const host = await freePort();
  const container = await docker.create({
    ...productionSpec(options.image, options.seccompProfile),
    // A fallback to a normal start would hide what is to be shown here.
    env: { DOTNET_SNAPSHOT: 'require' },
    publish: { host, container: options.port },
    ...(options.network !== undefined && { network: options.network }),
  });
  try {
    await docker.start(container);
    let gone = false;
    docker.wait(container).then(
      () => {
        gone = true;
      },
      () => {
        gone = true;
      },
    );
    const origin = `http://127.0.0.1:${host}`;
    const readiness = await waitUntilReady(origin + options.readyPath, Date.now() + options.readyMillis, {
      gone: () => gone,
    });
    if (readiness.readyAt === undefined)
      throw new SnapshotError('DS5002', 'The image does not restore.', { detail: await docker.logs(container) });
    return await replay(traffic, { origin });
  } finally {
    await docker.remove(container);
  }
}
