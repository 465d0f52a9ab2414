import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { SnapshotError } from '../../../src/errors.ts';
import type { ScanInputs } from '../../../src/inputs.ts';
import type { Forgotten, KnownSecret, ScanResult, Snapshot } from '../../../src/model/index.ts';
import { plantCanaries } from '../../../src/scan/canaries.ts';
import { readGateSettings, SecretsGate } from '../../../src/secrets/gate.ts';
import { Redactor } from '../../../src/secrets/redact.ts';
import { recordingLog } from '../../harness/recording-log.ts';
import { pagemap, present } from '../scan/criu.ts';
import { planted, snapshot } from '../scan/images.ts';

const VALUE = `v${randomBytes(16).toString('hex')}`;
const KEY = randomBytes(16).toString('hex');
const folder = mkdtempSync(join(tmpdir(), 'gate-'));
afterAll(() => rmSync(folder, { recursive: true }));

const canaries = plantCanaries();
const pages = (text: string) => ({
  'pagemap-5.img': pagemap(1, [present(0x1000, 6)]),
  'pages-1.img': planted(6, [
    { at: 100, text },
    { at: 8192, text: canaries.bytes },
  ]),
});

async function check(
  inputs: Partial<ScanInputs>,
  text = VALUE,
  environment: Record<string, string> = {},
  manifest: object = {},
  files = pages(text),
) {
  const log = recordingLog();
  const run = async () => ({ code: 1, stdout: '', stderr: '' });
  const tools = { run, log, redactor: new Redactor(), environment };
  const gate = new SecretsGate(await readGateSettings({ mode: 'fail', ...inputs }, tools), tools);
  gate.know([{ name: 'environment DB_PASSWORD', value: VALUE }]);
  if ('placeholders' in manifest) gate.know([{ name: 'secret NAMED', value: VALUE, explicit: true }]);
  const taken = {
    directory: snapshot(files),
    manifest: { canaries: canaries.planted, ...manifest },
    bytes: 0,
  } as unknown as Snapshot;
  const scans: ScanResult[] = [];
  const outcome = await gate
    .check(taken, async (scan) => void scans.push(scan))
    .then(
      (report) => ({ report }),
      (error) => ({ error }),
    );
  return { ...outcome, log, scans, verdict: taken.manifest.scan, redactor: tools.redactor } as {
    report?: Awaited<ReturnType<SecretsGate['check']>>;
    error?: { code: string; message: string; detail: string };
    log: typeof log;
    scans: ScanResult[];
    verdict: Snapshot['manifest']['scan'];
    redactor: Redactor;
  };
}

describe('the secrets gate', () => {
  test('lets a clean snapshot pass, and says so in its manifest', async () => {
    const { report, verdict, scans } = await check({}, 'nothing here');
    expect(report).toMatchObject({ verdict: 'clean', findings: 0, allowed: 0, knownSecrets: 1 });
    expect(verdict).toMatchObject({ verdict: 'clean', findings: 0, allowed: 0 });
    expect(scans).toHaveLength(1);
  });

  test('stops one with a secret, after the findings were handed over', async () => {
    const { error, verdict, scans, log } = await check({});
    expect(error).toMatchObject({ code: 'DS4001', message: 'The snapshot holds 1 secret(s); nothing of it is kept.' });
    expect(error?.detail).toContain('known secret "environment DB_PASSWORD"');
    expect(verdict).toBeUndefined();
    expect(scans[0]?.findings).toHaveLength(1);
    expect(JSON.stringify([error, log, scans])).not.toContain(VALUE);
  });

  test('set to warn lets it pass loudly', async () => {
    const { report, verdict, log } = await check({ mode: 'warn' });
    expect(report).toMatchObject({ verdict: 'findings', findings: 1 });
    expect(verdict).toMatchObject({ verdict: 'findings', findings: 1 });
    expect(log.warnings.join('\n')).toMatch(/THE SNAPSHOT HOLDS 1 SECRET\(S\)[\s\S]*environment DB_PASSWORD/);
  });

  test('set to off looks at nothing, and says that', async () => {
    const { report, verdict, log, scans } = await check({ mode: 'off' });
    expect(report).toMatchObject({ verdict: 'off', bytes: 0 });
    expect(verdict).toMatchObject({ verdict: 'off' });
    expect(scans).toEqual([]);
    expect(log.warnings.join()).toContain('NOBODY HAS LOOKED FOR SECRETS');
  });

  test.each([
    ['no canaries', []],
    ['not one in each encoding', canaries.planted.slice(1)],
    ['only of one encoding', canaries.planted.map(() => canaries.planted[0])],
    ['one that is not there', canaries.planted.map((canary) => ({ ...canary, sha256: '0'.repeat(64) }))],
  ])('calls nothing clean whose manifest names %s', async (_what, named) => {
    const { error, verdict } = await check({}, 'nothing here', {}, { canaries: named });
    expect(error).toMatchObject({ code: 'DS4003' });
    expect(verdict).toBeUndefined();
  });

  test('looks for the canaries that another manifest among the images does not name', async () => {
    const files = { ...pages('nothing here'), 'manifest.json': Buffer.from('{"process":{"pid":5},"runtime":{}}') };
    const { error } = await check({}, '', {}, {}, files);
    expect(error).toMatchObject({ code: 'DS4003' });
  });

  test('takes nothing for a placeholder that the user named as a secret', async () => {
    const { error } = await check({}, VALUE, {}, { placeholders: [VALUE] });
    expect(error?.detail).toContain('secret NAMED');
  });

  test('masks what it knows, the key too', async () => {
    const { redactor } = await check({ key: KEY });
    expect(redactor.text(`${VALUE} ${KEY}`)).toBe('*** ***');
  });

  test('hashes under the key that it is given, directly, by variable or by file', async () => {
    const file = join(folder, 'key');
    writeFileSync(file, `${KEY}\n`);
    const keys = [KEY, 'env:SCAN', `file:${file}`];
    const results = await Promise.all(keys.map((key) => check({ key, mode: 'warn' }, VALUE, { SCAN: KEY })));
    const hashes = results.map(({ scans }) => scans[0]!.findings[0]!.hash);
    expect(new Set(hashes).size).toBe(1);
    await expect(check({ key: 'env:NONE' })).rejects.toThrow(
      'The scan-key is to come from env:NONE, and there is none.',
    );
  });

  test('follows a policy and a baseline, and warns of what in them is out of date', async () => {
    const { scans } = await check({ key: KEY, mode: 'warn' });
    const { hash } = scans[0]!.findings[0]!;
    const policy = join(folder, 'policy.yaml');
    const allow = (expires: string) =>
      writeFileSync(policy, `version: 1\nallow:\n  - { hash: "${hash}", reason: a test, expires: ${expires} }\n`);
    allow('9999-12-31');
    const allowed = await check({ key: KEY, policyFile: policy });
    expect(allowed.report).toMatchObject({ verdict: 'clean', findings: 0, allowed: 1 });
    allow('2020-01-01');
    const expired = await check({ key: KEY, policyFile: policy });
    expect(expired.error?.code).toBe('DS4001');
    expect(expired.log.warnings.join()).toContain('expired on 2020-01-01');
  });

  describe('of what came with requests and answers', () => {
    const TOKEN = randomBytes(16).toString('base64url');
    /** A cookie as data protection makes it: magic bytes, the key's id, what only the key opens. */
    const ID = '01234567-89ab-cdef-0123-456789abcdef';
    const COOKIE = Buffer.concat([
      Buffer.from('09f0c9f067452301ab89efcd0123456789abcdef', 'hex'),
      randomBytes(150),
    ]).toString('base64url');
    const MASTER = randomBytes(64);
    const form = { start: MASTER.toString('hex', 0, 8), length: 64, sha256: sha256(MASTER) };
    const FORGOTTEN: Forgotten = { keys: [{ id: ID, forms: [form] }], tokens: [sha256(TOKEN).slice(0, 32)] };

    /** A gate that knows some values, and the outcomes of its checkpoints, each a text that is in memory. */
    async function checkpoints(
      known: KnownSecret[],
      texts: (string | Buffer | SnapshotError)[],
      forgotten?: Forgotten,
    ) {
      const log = recordingLog();
      const run = async () => ({ code: 1, stdout: '', stderr: '' });
      const tools = { run, log, redactor: new Redactor(), environment: {} };
      const gate = new SecretsGate(await readGateSettings({ mode: 'fail' }, tools), tools);
      gate.know(known);
      const take = async (text: string | Buffer | SnapshotError) => {
        if (text instanceof SnapshotError) throw text;
        return {
          directory: snapshot({
            'pagemap-5.img': pagemap(1, [present(0x1000, 6)]),
            'pages-1.img': planted(6, [
              { at: 100, text },
              { at: 8192, text: canaries.bytes },
            ]),
          }),
          manifest: { canaries: canaries.planted },
          bytes: 0,
          ...(forgotten && { forgotten }),
        } as unknown as Snapshot;
      };
      const left = [...texts];
      const taken = await take(left.shift()!);
      const scans: ScanResult[] = [];
      const outcome = await gate
        .check(
          taken,
          async (scan) => void scans.push(scan),
          async () => take(left.shift()!),
        )
        .then(
          () => 'passed',
          (error: { code: string }) => error.code,
        );
      return { outcome, log, scans, taken, untaken: left.length };
    }
    const token = (name: string): KnownSecret => ({ name, value: TOKEN });
    const negotiated: KnownSecret = {
      name: 'answer to "negotiate" connectionToken',
      value: TOKEN,
      kind: 'signalr-token',
    };

    test('what is left is cleared by another checkpoint', async () => {
      const { outcome, log, scans } = await checkpoints(
        [token('answer to "login" cookie id')],
        [TOKEN, 'nothing here'],
      );
      expect(outcome).toBe('passed');
      expect(scans).toHaveLength(2);
      expect(log.infos.join()).toContain(
        "1 value(s) of the warmup were left in the app's memory: checkpoint 2 of at most 3 is taken",
      );
    });

    test('what stays fails after the third', async () => {
      const { outcome, untaken } = await checkpoints(
        [token('traffic "login" authorization')],
        [TOKEN, TOKEN, TOKEN, ''],
      );
      expect([outcome, untaken]).toEqual(['DS4001', 1]);
    });

    test('a hook that can be called only once does not hide what was found', async () => {
      const failure = new SnapshotError('DS3007', 'The hook failed.');
      const { outcome, log } = await checkpoints([token('traffic "login" token')], [TOKEN, failure]);
      expect(outcome).toBe('DS4001');
      expect(log.warnings.join()).toContain('No other checkpoint is taken: The hook failed.');
    });

    test.each(['environment TOKEN', 'traffic "login" token, environment TOKEN'])(
      'no other checkpoint helps against %s',
      async (name) => {
        const known = name.split(', ').map(token);
        expect(await checkpoints(known, [TOKEN, ''])).toMatchObject({ outcome: 'DS4001', untaken: 1 });
      },
    );

    test('the token of an ended connection is worth nothing, and the log says so', async () => {
      const { outcome, log, scans } = await checkpoints([negotiated], [TOKEN], FORGOTTEN);
      expect(outcome).toBe('passed');
      expect(scans[0]?.allowed).toMatchObject([{ by: 'worthless' }]);
      expect(log.infos.join()).toContain('worth nothing: it is the token of a SignalR connection that had ended');
    });

    test.each([
      ['of a connection that has not ended', [negotiated], { ...FORGOTTEN, tokens: [] }],
      ['that is known as something else, too', [negotiated, token('secret NAMED')], FORGOTTEN],
      ['that is no token of a connection', [token('answer to "login" token')], FORGOTTEN],
    ])('a value counts %s', async (_what, known, forgotten) => {
      expect(await checkpoints(known, [TOKEN, TOKEN, TOKEN], forgotten)).toMatchObject({ outcome: 'DS4001' });
    });

    const cookie: KnownSecret = { name: 'answer to "page" cookie .AspNetCore.Antiforgery.x', value: COOKIE };
    test.each([
      ['known', [cookie], COOKIE],
      ['found by rule', [], `.AspNetCore.Cookies=${COOKIE}; path=/`],
    ])('a cookie that only a forgotten key opens is worth nothing: %s', async (_what, known, text) => {
      const { outcome, scans, taken } = await checkpoints(known, [text], FORGOTTEN);
      expect(scans[0]?.allowed.map(({ by }) => by)).toContain('worthless');
      expect(outcome).toBe('passed');
      expect(taken.manifest.forgottenKeys).toEqual([ID]);
    });

    const both = Buffer.concat([Buffer.from(COOKIE), Buffer.alloc(16), MASTER]);
    test.each<[string, string | Buffer, Forgotten]>([
      ['the snapshot still holds the key', both, FORGOTTEN],
      ['another key protects it', COOKIE, { ...FORGOTTEN, keys: [{ id: ID.replace('0', '1'), forms: [form] }] }],
      ['nobody can tell how the key would look', COOKIE, { ...FORGOTTEN, keys: [{ id: ID, forms: [] }] }],
    ])('it counts where %s', async (_what, text, forgotten) => {
      expect(await checkpoints([cookie], [text, text, text], forgotten)).toMatchObject({ outcome: 'DS4001' });
    });
  });
});

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
