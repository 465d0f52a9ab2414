import { productionSpec } from '../../src/engine/container.ts';
import { freePort, waitUntilReady } from '../../src/engine/readiness.ts';
import { tools } from './machine.ts';

/** What a variant is started from. */
export interface Startable {
  image: string;
  env?: Record<string, string>;
}

/**
 * Starts a container as production does; resolves to the milliseconds from its StartedAt to its first answer below
 * 400 at /healthz, the way src/measure counts. The container is gone afterwards. Throws where nothing answers.
 */
export async function start({ image, env = {} }: Startable, { timeoutMs = 30_000 } = {}): Promise<number> {
  const { docker } = tools;
  const host = await freePort();
  const container = await docker.create({ ...productionSpec(image), env, publish: { host, container: 8080 } });
  try {
    await docker.start(container);
    const url = `http://127.0.0.1:${host}/healthz`;
    const { readyAt } = await waitUntilReady(url, Date.now() + timeoutMs, { pauseMs: 1 });
    if (readyAt === undefined) throw new Error(`${image} did not answer\n${await docker.logs(container)}`);
    return readyAt - (await docker.state(container)).startedAt;
  } finally {
    await docker.remove(container);
  }
}
