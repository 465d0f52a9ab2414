import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Access, Protocol, Target } from '../model/index.ts';
import type { Docker } from './docker.ts';
import { describeMet } from './probe.ts';
import { untilAnswers, type Waiting } from './readiness.ts';

/** Result of waiting for the app in a container. */
export type Readiness =
  | {
      /** Milliseconds since the epoch. */
      readyAt: number;
      /** What its answers were asked by; absent where it was not asked by HTTP. */
      met?: { protocol: Protocol; host: string };
    }
  | {
      readyAt: undefined;
      /** What was seen instead, as the end of a sentence. */
      why: string;
      /** The last answer's status, where there was one. */
      status?: number;
    };

/** A started container of the app. */
export interface StartedApp {
  container: string;
  /** Port on this machine that its port is published at. */
  host: number;
  /** Path of the launcher in it. */
  launcher: string;
  /**
   * Whether it was restored: then it was ready before its checkpoint, and its log and PIDs are the launcher's to use until
   * that has said that it restored.
   */
  restored: boolean;
}

/** Where an app answers whose port is published at `host` on this machine. */
export function targetOf({ protocol = 'http', host: name }: Access, host: number): Target {
  return { origin: `${protocol}://127.0.0.1:${host}`, host: name };
}

/** How often programs and logs of a container are looked at, in milliseconds: each look starts a program. */
const LOOK_MS = 100;

/** A connection that stays open for so long has reached a listener: the engine's proxy closes those that have not. */
const OPEN_MS = 100;

/** How often the container's state is looked at, in milliseconds. */
const STATE_MS = 500;

/** The launcher's line in the log of a container that was restored. */
const RESTORED = /^dotnet-snapshot: restored in /;

/** Waits until the app in a container is ready, has ended, or the deadline has passed. */
export async function untilReady(
  app: StartedApp,
  access: Access,
  docker: Docker,
  waiting: Omit<Waiting, 'gone'>,
): Promise<Readiness> {
  let ended = false;
  const watch = setInterval(async () => {
    // A container that is to be kept is not waited for by `docker wait`, which would keep this process, too.
    ended ||= !(await docker.state(app.container).catch(() => ({ running: false }))).running;
  }, STATE_MS);
  const gone = () => ended;
  try {
    if (access.ready.by === 'http') {
      const { host, protocol, readyPath: path } = access;
      const answers = await untilAnswers({ port: app.host, path, host, protocol }, { ...waiting, gone });
      if (answers.readyAt === undefined) {
        const status = answers.met?.status;
        const why = `at ${path}, ${describeMet(answers.met)}`;
        return { readyAt: undefined, why, ...(status !== undefined && { status }) };
      }
      return { readyAt: answers.readyAt, met: { protocol: answers.protocol, host: answers.host } };
    }
    return await untilSeen(app, access.ready, docker, () => Date.now() < waiting.deadline && !gone());
  } finally {
    clearInterval(watch);
  }
}

async function untilSeen(
  app: StartedApp,
  ready: Exclude<Access['ready'], { by: 'http' }>,
  docker: Docker,
  goOn: () => boolean,
): Promise<Readiness> {
  let restoredAt: number | undefined;
  while (app.restored && restoredAt === undefined && goOn()) {
    restoredAt = await lineAt(app, RESTORED, docker);
    if (restoredAt === undefined) await sleep(LOOK_MS);
  }
  // What it wrote when it became ready stands in the log of the container that it was warmed in.
  if (restoredAt !== undefined && ready.by === 'log') return { readyAt: restoredAt };
  let why = app.restored && restoredAt === undefined ? 'it was not restored' : '';
  for (let first = true; goOn(); first = false) {
    const seen = await look(app, ready, docker);
    // A restored app was ready all along; the first look only shows it.
    if (typeof seen === 'number') return { readyAt: (first && restoredAt) || seen };
    why = seen;
    await sleep(LOOK_MS);
  }
  return { readyAt: undefined, why };
}

/** When it was seen to be ready, or what is missing. */
async function look(
  app: StartedApp,
  ready: Exclude<Access['ready'], { by: 'http' }>,
  docker: Docker,
): Promise<number | string> {
  const now = performance.timeOrigin + performance.now();
  if (ready.by === 'port') return (await accepts(app.host)) ? now : 'its port accepts no connection';
  if (ready.by === 'log')
    return (await lineAt(app, new RegExp(ready.pattern), docker)) ?? `no line of its log matches ${ready.pattern}`;
  const argv = ready.by === 'file' ? [app.launcher, 'exists', '--', ready.path] : ready.argv;
  const { code, stdout, stderr } = await docker.exec(app.container, argv);
  if (code === 0) return performance.timeOrigin + performance.now();
  if (ready.by === 'file') return `there is no ${ready.path}`;
  const said = `${stderr}${stdout}`.trim().split('\n').at(-1);
  return `${ready.argv[0]} ended with exit code ${code}${said ? `: ${said}` : ''}`;
}

/** When the first line that matches was written, by the engine's clock; undefined where there is none. */
async function lineAt({ container }: StartedApp, pattern: RegExp, docker: Docker): Promise<number | undefined> {
  return (await docker.logLines(container)).find(({ text }) => pattern.test(text))?.at;
}

/** Whether a connection is accepted and stays open, or is answered. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (open: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(open);
    };
    let timer: NodeJS.Timeout | undefined;
    socket.once('connect', () => {
      timer = setTimeout(() => end(true), OPEN_MS);
    });
    socket.once('data', () => end(true));
    socket.once('end', () => end(false));
    socket.once('error', () => end(false));
  });
}
