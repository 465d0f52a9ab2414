import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { ContainerSpec } from '../../src/engine/container.ts';
import type { Docker } from '../../src/engine/docker.ts';
import type { Access, Answer, Traffic } from '../../src/model/index.ts';
import type { UniqueValue } from '../../src/verify/unique.ts';
import { verify } from '../../src/verify/verify.ts';
import { recordingLog } from '../harness/recording-log.ts';

const traffic: Traffic = { file: 'traffic.yaml', digest: '', exchanges: [] };
const answer: Answer = {
  exchange: 'get',
  iteration: 0,
  method: 'GET',
  path: '/',
  status: 200,
  headers: {},
  body: new Uint8Array(),
  micros: 1,
  unmet: [],
};

/** An engine whose containers all answer; it keeps what was asked of it. */
class FakeEngine {
  readonly events: string[] = [];
  readonly specs: ContainerSpec[] = [];
  readonly #servers: Server[] = [];

  async create(spec: ContainerSpec): Promise<string> {
    this.specs.push(spec);
    return `clone-${this.specs.length}`;
  }

  async start(): Promise<void> {
    const server = createServer((_request, response) => response.end());
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(this.specs.at(-1)!.publish!.host, '127.0.0.1', resolve));
  }

  wait(): Promise<number> {
    return new Promise(() => {});
  }

  async state() {
    return { running: true };
  }

  async remove(container: string): Promise<void> {
    this.events.push(`remove ${container}`);
    this.#servers.pop()?.close();
  }

  closeAll(): void {
    for (const server of this.#servers) server.close();
  }
}

let engine: FakeEngine;
afterEach(() => engine.closeAll());

/** Verifies clones whose companions give these values, one list for each clone, or fail with the message given. */
function verifyClones(values: (string[] | string)[], given: Answer[] = [answer], before: Answer[][] = []) {
  engine = new FakeEngine();
  const access: Access = {
    ...{ port: 8080, host: 'localhost', ready: { by: 'http' }, readyPath: '/', readyMillis: 5000 },
  };
  const options = { image: 'app', access, launcher: '/launcher', env: {}, places: { writable: [], mounts: [] } };
  return verify(
    traffic,
    before,
    { ...options, clones: values.length },
    {
      docker: engine as unknown as Docker,
      replay: async () => {
        engine.events.push('replay');
        return given;
      },
      unique: async (container): Promise<UniqueValue[]> => {
        engine.events.push(`unique ${container}`);
        const made = values[engine.specs.length - 1]!;
        if (typeof made === 'string') throw new Error(made);
        return made.map((value) => ({ source: 'Guid.NewGuid', value }));
      },
      log: recordingLog(),
    },
  );
}

describe('verify', () => {
  it('counts what it has compared', async () => {
    expect(await verifyClones([['a', 'b'], ['c', 'd'], ['e']])).toEqual({
      clones: 3,
      answersCompared: 6,
      valuesCompared: 5,
    });
  });

  it('asks each clone for its values before the traffic comes', async () => {
    await verifyClones([['a'], ['b']]);
    expect(engine.events).toEqual([
      'unique clone-1',
      'replay',
      'replay',
      'unique clone-2',
      'replay',
      'replay',
      'remove clone-2',
      'remove clone-1',
    ]);
  });

  it('restores in the mode in which the companion answers and nothing falls back', async () => {
    await verifyClones([['a']]);
    expect(engine.specs[0]!.env).toEqual({ DOTNET_SNAPSHOT: 'verify' });
  });

  it('fails where clones share a value, without telling it', async () => {
    const failure = await verifyClones([['top-secret'], ['b'], ['top-secret']]).catch((error) => error);
    expect(failure).toMatchObject({
      code: 'DS5004',
      message: '2 of 3 clones share a value that must be unique.',
      detail: 'Guid.NewGuid: clones 1 and 3',
    });
  });

  it('fails where a single clone makes a value twice', async () => {
    await expect(verifyClones([['a', 'a']])).rejects.toMatchObject({
      code: 'DS5004',
      message: 'A restored clone made a value twice that must be unique.',
    });
  });

  it('fails where answers show what clones have generated alike', async () => {
    const created = (id: string) => ({ ...answer, method: 'POST', headers: { 'x-order': id } });
    const before = ['1b6f2c3d-8c02-4e97-a45a-3d0f6b7c8e91', '7a90e4b5-13cd-4f28-9b6e-c5d2a1f03874'].map(created);
    const replayed = created('e2d8f701-5a9b-4c36-8f14-09b7c6d5e4a3');
    const failure = verifyClones([['a'], ['b']], [replayed], [[before[0]!], [before[1]!]]);
    await expect(failure).rejects.toMatchObject({ code: 'DS5004', detail: 'header x-order of POST /: clones 1 and 2' });
  });

  it('tells of wrong answers before it compares clones', async () => {
    const wrong = { ...answer, unmet: ['status is 500, expected 200'] };
    await expect(verifyClones([['a', 'a']], [wrong])).rejects.toMatchObject({ code: 'DS5003' });
  });

  it('removes the clone whose companion does not answer', async () => {
    await expect(verifyClones(['silent'])).rejects.toThrow('silent');
    expect(engine.events).toEqual(['unique clone-1', 'remove clone-1']);
  });
});
