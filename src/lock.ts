import { createHash } from 'node:crypto';
import { connect, createServer, type Socket } from 'node:net';
import type { Log } from './log.ts';

/** No run waits longer than this for another one, in milliseconds; it then goes on, as it would without a lock. */
const LONGEST_WAIT = 30 * 60_000;

/**
 * Does `work` while no other run on this machine does work under the same key; `what` tells the user what is waited for.
 *
 * The lock is a socket in Linux's abstract namespace: it ends with its process, however that ends, and leaves no file.
 * Where there is none (another system), the work is done without a lock.
 */
export async function locked<T>(key: string, what: string, log: Log, work: () => Promise<T>): Promise<T> {
  const name = `\0dotnet-snapshot-${createHash('sha256').update(key).digest('hex').slice(0, 24)}`;
  const deadline = Date.now() + LONGEST_WAIT;
  let told = false;
  for (;;) {
    const lock = await take(name);
    if (lock || Date.now() > deadline) {
      try {
        return await work();
      } finally {
        lock?.release();
      }
    }
    if (!told) log.info(`waiting for another run: ${what}`);
    told = true;
    await releaseOf(name, deadline);
  }
}

/** Undefined where another run has the lock. */
function take(name: string): Promise<{ release: () => void } | undefined> {
  return new Promise((resolve) => {
    const waiting = new Set<Socket>();
    const server = createServer((socket) => {
      waiting.add(socket);
      socket.once('close', () => waiting.delete(socket));
      socket.on('error', () => {});
    });
    const release = () => {
      server.close();
      for (const socket of waiting) socket.destroy();
    };
    server.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'EADDRINUSE' ? undefined : { release: () => {} }),
    );
    server.listen(name, () => resolve({ release }));
  });
}

/** Resolves when the run that has the lock has released it, or has ended. */
function releaseOf(name: string, deadline: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(name);
    const timer = setTimeout(() => socket.destroy(), Math.max(0, deadline - Date.now()));
    socket.on('error', () => {});
    socket.resume();
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
