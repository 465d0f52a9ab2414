import type { Log } from './log.ts';

/** A log for people at a terminal: everything on standard error, so that standard output holds only results. */
export function terminalLog(verbose: boolean): Log {
  const write = (line: string) => process.stderr.write(`${line}\n`);
  return {
    info: (message) => write(`  ${message}`),
    warning: (message) => write(`  warning: ${message}`),
    debug: (message) => {
      if (verbose) write(`    ${message}`);
    },
    async group(title, work) {
      const start = performance.now();
      write(`${title} …`);
      const result = await work();
      write(`${title} done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
      return result;
    },
  };
}
