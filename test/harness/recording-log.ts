import type { Log } from '../../src/log.ts';

/** A log that keeps its lines for the test to look at. */
export interface RecordingLog extends Log {
  infos: string[];
  warnings: string[];
  debugs: string[];
}

/** A fresh one. */
export function recordingLog(): RecordingLog {
  const infos: string[] = [];
  const warnings: string[] = [];
  const debugs: string[] = [];
  return {
    infos,
    warnings,
    debugs,
    info: (message) => void infos.push(message),
    warning: (message) => void warnings.push(message),
    debug: (message) => void debugs.push(message),
    group: (_title, work) => work(),
  };
}
