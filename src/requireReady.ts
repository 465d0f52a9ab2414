import type { Control } from './checkpoint/control.ts';
import type { Docker } from './engine/docker.ts';
import { type Listeners, misplaced, parseListeners } from './engine/listening.ts';
import { describeMet, type Met, probeAny, refusesHost } from './engine/probe.ts';
import { type StartedApp, untilReady } from './engine/ready.ts';
import { SnapshotError } from './errors.ts';
import type { Log } from './log.ts';
import type { Access } from './model/index.ts';

/** What it takes to wait for an app that was started to be warmed. */
export interface ReadyTools {
  docker: Docker;
  log: Log;
  control: Control;
  /** Whether input or traffic name the Host: another is then not tried. */
  hostIsGiven: boolean;
  /** Whether the app will be sent requests, whatever tells that it is ready. */
  asksHttp: boolean;
}

/** Two looks so far apart that agree on where the app listens count: it may open its ports one after the other. */
const SETTLED_MS = 5000;

/** How often it is looked where the app listens, while nothing answers. Each look uses up PIDs of the container. */
const LOOK_MS = 2500;

/**
 * Waits until the app in a warming container is ready. Returns how it is met: as asked, with the protocol that it was
 * found to speak and a Host that it takes. Throws DS3001 where it is not ready in time or waiting can't help, DS3002
 * where it has ended.
 */
export async function requireReady(app: StartedApp, asked: Access, tools: ReadyTools): Promise<Access> {
  const { docker, log } = tools;
  const placement = new Placement(app, asked.port, docker);
  let tried = tools.hostIsGiven;
  const readiness = await untilReady(app, asked, docker, {
    deadline: Date.now() + asked.readyMillis,
    onMet: async (met) => {
      if (refusesHost(met)) {
        const host = tried ? undefined : await allowedHost(tools.control);
        tried = true;
        if (host === undefined) throw refusedHost(asked.host, met);
        log.info(`the app refuses the Host ${asked.host} (AllowedHosts); all requests of this build name ${host}`);
        return { host };
      }
      if (met.status === undefined) await placement.look();
      return undefined;
    },
  });
  if (readiness.readyAt !== undefined) {
    const met = readiness.met ?? (tools.asksHttp ? await spoken(app, asked) : undefined);
    if (met?.protocol === 'https') log.info('the app speaks TLS; its certificate is not checked');
    if (met?.protocol === 'h2c') log.info('the app speaks HTTP/2 in the clear');
    return { ...asked, ...met };
  }
  const { running, exitCode } = await docker.state(app.container);
  const detail = await docker.logs(app.container);
  if (!running)
    throw new SnapshotError('DS3002', `The app ended with exit code ${exitCode} before it was ready.`, { detail });
  const listening = await placement.listening();
  const asksPort = asked.ready.by === 'http' || asked.ready.by === 'port';
  const problem = asksPort && readiness.status === undefined ? misplaced(listening, asked.port) : undefined;
  if (problem) throw new SnapshotError('DS3001', problem.cause, { fix: problem.fix, detail });
  const nowhere = asked.ready.by === 'http' && listening.tcp.length === 0;
  const why = nowhere ? 'it listens on no TCP port' : readiness.why;
  throw new SnapshotError('DS3001', `The app was not ready after ${asked.readyMillis / 1000} s: ${why}.`, {
    detail,
    fix: fixFor(asked, readiness.status, nowhere),
  });
}

function fixFor({ ready, readyPath }: Access, status: number | undefined, nowhere: boolean): string {
  if (ready.by !== 'http')
    return 'Mend what the app’s log shows, or set --ready to what the app does once it is ready; --ready-timeout gives a slow app more time.';
  if (nowhere)
    return 'Mend what the app’s log shows; --ready-timeout gives a slow app more time. An app without HTTP is ready by --ready port, log:REGEX, file:PATH or command:PROGRAM.';
  if (status === 404 || status === 401 || status === 403)
    return `Set --ready-path to a path that anybody may GET and that answers below 400; ${readyPath} is none.`;
  if (status !== undefined)
    return 'Give the app what its log or its answer misses (--env, --network), or set --ready-path to a path that answers below 400 once it is ready.';
  return 'Mend what the app’s log shows, or set --port to where it answers; --ready-timeout gives a slow app more time.';
}

/** What an app speaks that is ready by something else than an answer. */
async function spoken(app: StartedApp, { host, readyPath: path, readyMillis }: Access) {
  const { met, protocol } = await probeAny(app.host, undefined, { path, host }, readyMillis);
  if (protocol === undefined)
    throw new SnapshotError('DS3001', `The app is ready, but can’t be sent the traffic: ${describeMet(met)}.`, {
      fix: 'Set --port to where it answers, or leave out the traffic.',
    });
  return { protocol, host };
}

/** The first name that the app's setting AllowedHosts has; undefined where it has none, or takes any. */
async function allowedHost(control: Control): Promise<string | undefined> {
  const settings = await control.configuration();
  const value = settings.find(({ key }) => key.toLowerCase() === 'allowedhosts')?.value;
  const name = value?.split(';')[0]?.trim();
  return name && name !== '*' ? name.replace(/^\*\./, 'www.') : undefined;
}

function refusedHost(host: string, met: Met): SnapshotError {
  return new SnapshotError('DS3001', `The app refuses requests to the Host ${host}: ${describeMet(met)}.`, {
    fix: 'Set --host to a name that the app’s setting AllowedHosts has, or let the traffic name one (headers: host).',
  });
}

/** Looks where the app listens while nothing answers, and ends the wait where that can't change. */
class Placement {
  readonly #app: StartedApp;
  readonly #port: number;
  readonly #docker: Docker;
  #next = Date.now() + LOOK_MS;
  #seen = '';
  #since = 0;

  constructor(app: StartedApp, port: number, docker: Docker) {
    this.#app = app;
    this.#port = port;
    this.#docker = docker;
  }

  /** Throws DS3001 where the app has settled on a place that can't be reached. */
  async look(): Promise<void> {
    if (Date.now() < this.#next) return;
    this.#next = Date.now() + LOOK_MS;
    const problem = misplaced(await this.listening(), this.#port);
    if (problem?.cause !== this.#seen) {
      this.#seen = problem?.cause ?? '';
      this.#since = Date.now();
    } else if (problem && Date.now() - this.#since >= SETTLED_MS) {
      const { cause, fix } = problem;
      throw new SnapshotError('DS3001', cause, { fix, detail: await this.#docker.logs(this.#app.container) });
    }
  }

  /** Where the app listens now; empty where that can't be told, too. */
  async listening(): Promise<Listeners> {
    const { code, stdout } = await this.#docker.exec(this.#app.container, [this.#app.launcher, 'sockets']);
    return parseListeners(code === 0 ? stdout : '');
  }
}
