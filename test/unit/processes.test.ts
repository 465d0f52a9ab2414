import { describe, expect, test } from 'vitest';
import { requireAppAlone } from '../../src/checkpoint/processes.ts';

describe('what runs beside the app', () => {
  test('an app alone passes, and what a shell sets for itself does not count', () => {
    expect(() => requireAppAlone('variable PWD\nvariable _\nprocess 64 1 A dotnet\n')).not.toThrow();
  });

  test('an init before the app is named, with the way out', () => {
    expect(() => requireAppAlone('process 64 1 A tini\nprocess 65 64 S dotnet\n')).toThrow(
      expect.objectContaining({
        code: 'DS3008',
        message: expect.stringMatching(/tini \(PID 64\).*dotnet \(PID 65, started by PID 64\)/),
        fix: expect.stringContaining('without tini'),
      }),
    );
  });

  test('a helper in the background is named', () => {
    expect(() => requireAppAlone('process 64 1 A dotnet\nprocess 66 1 S log ship\n')).toThrow(
      expect.objectContaining({ code: 'DS3008', message: expect.stringContaining('log ship (PID 66') }),
    );
  });

  test('a variable that the entrypoint exports is named', () => {
    expect(() => requireAppAlone('variable ConnectionStrings__Shop\nprocess 64 1 A dotnet\n')).toThrow(
      expect.objectContaining({ code: 'DS3011', message: expect.stringContaining('ConnectionStrings__Shop') }),
    );
  });
});
