import { afterAll, expect, test } from 'vitest';
import { cli, docker } from '../harness/cli.ts';

const app = 'test/integration/apps/risks';
const check = (name: string, ...flags: string[]) =>
  cli(['check', '--project', `${app}/app`, '--traffic', `${app}/traffic.yaml`, '--name', name, ...flags]);
/** Of all warnings those of the static check; others may tell of the warmup. */
const risksIn = (stderr: string) =>
  stderr
    .split('\n')
    .filter((line) => /^ {2}warning: .*(RegisterAfterRestore|such members|private key)/.test(line))
    .map((line) => line.replace('  warning: ', ''));

afterAll(async () => {
  const images = ['risks-test', 'harmless-test'].map((name) => `dotnet-snapshot/${name}:app`);
  await docker(['image', 'rm', '--force', ...images], { mayFail: true });
});

test('check warns of each risky member of the app’s own code, of what packages may make ids of, and passes', async () => {
  const { code, stdout, stderr } = await check('risks-test');
  expect(risksIn(stderr).map((line) => line.split(': ')[0])).toEqual([
    'NUlid.Rng.SimpleUlidRng.ThreadLocalRandom._globalrandom (Random)',
    'NUlid.Rng.SimpleUlidRng.ThreadLocalRandom._threadrandom (Random)',
    'Job._ticks (timer)',
    'Risky.Instance (Guid)',
    'Risky.s_client (HttpClient)',
    'Risky.s_hmacKey (byte[])',
    'Risky.s_random (Random)',
    'Risky.s_signing (key pair or certificate)',
    'Risky.s_started (date and time)',
    'Risky.s_timer (timer)',
    'Risky.s_workerId (identity of a process)',
    'Risky.t_random (Random)',
    'Risky.Nested.Seen (date and time)',
    'Risks.Library.Catalogue.s_shuffle (Random)',
    'Program.signing holds a private key (RSA, 2048 bits)',
  ]);
  expect(stdout).toContain('risks-test can be checkpointed: ');
  expect(code).toBe(0);
});

test('the same app without such members gives no warning', async () => {
  const { code, stdout, stderr } = await check('harmless-test', '--publish-args=-property:Harmless=true');
  expect(risksIn(stderr)).toEqual([]);
  expect(stdout).toContain('harmless-test can be checkpointed: ');
  expect(code).toBe(0);
});
