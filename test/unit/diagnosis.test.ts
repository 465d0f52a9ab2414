import { expect, test } from 'vitest';
import { diagnose } from '../../src/checkpoint/diagnosis.ts';

test.each([
  ["Error (criu/fsnotify.c:284): fsnotify: Can't dump that handle", 'DS3003', 'inotify'],
  ['Error (criu/image.c:1): write: No space left on device', 'DS2006', 'disk became full'],
  ['Error (compel/src/lib/ptrace.c:27): suspending seccomp failed: Operation not permitted', 'DS3003', 'seccomp'],
  ["Error (criu/sk-unix.c:860): unix: Can't dump half of stream unix connection.", 'DS3003', 'unix socket'],
  ['Error (criu/new.c:1): something nobody has seen', 'DS3003', 'refused'],
])('%s becomes %s', (log, code, cause) => {
  const error = diagnose(`(00.1) Warn noise\n(00.2) ${log}\n(00.3) Error (criu/cr-dump.c:1): Dumping FAILED.\n`);
  expect(error.code).toBe(code);
  expect(error.message).toContain(cause);
  expect(error.detail).toContain(log);
});

test('a log without error lines is shown from the beginning of a line on', () => {
  const { detail } = diagnose(`${'connected with s3cret-in-the-log\n'.repeat(100)}the end`);
  expect(detail).toMatch(/^(?:connected with s3cret-in-the-log\n)+the end$/);
  expect(detail!.length).toBeGreaterThan(1900);
});
