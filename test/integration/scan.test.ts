import { createHash, randomInt } from 'node:crypto';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli, docker, type Finished, leftovers } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';
import { GitHubApi } from '../harness/github-api.ts';
import { createJob } from '../harness/job.ts';
import { contentsOf, leaksIn, leaksInAll } from '../harness/leaks.ts';
import { ResultsService } from '../harness/results-service.ts';
import { actionFileIn, runAction } from '../harness/run-action.ts';
import { runProgram } from '../harness/run-program.ts';
import { PROJECT_ROOT } from '../harness/run-workflow.ts';
import { pullRequest, push } from '../harness/trigger.ts';
import { Random } from '../unit/scan/random.ts';

// An app that keeps what it is told, with a fresh secret from every source; then everything that anybody gets to read.
const NAME = 'scan-test';
const image = `dotnet-snapshot-test/${NAME}:restore-ready`;
const random = new Random(randomInt(2 ** 31));
const nonce = random.text(24);

/** What the build is given or sees, and how a finding says where it is from. */
const SECRETS = {
  environment: { value: random.password(24), told: /environment Payment__ApiKey/ },
  'input secrets': { value: random.password(24), told: /secret LICENSE/ },
  'configuration file': { value: random.password(24), told: /Mail:Password/ },
  'request header Authorization': { value: random.text(43), told: /traffic "account" authorization/i },
  'request header X-Api-Key': { value: random.text(32), told: /traffic "account" x-api-key/i },
  cookie: { value: random.text(40), told: /traffic "account" cookie session/i },
  'JSON of a request': { value: random.password(24), told: /traffic "login" password/i },
  'form of a request': { value: random.password(24), told: /traffic "form" password/i },
  // Nobody but the app knows it before it is there; a token says by its form what it is.
  answer: { value: tokenFor(nonce), told: /JSON Web Token|\bjwt\b|answer to "login" token/i },
};

const values = Object.fromEntries(Object.entries(SECRETS).map(([name, { value }]) => [name, value]));
const { environment, 'configuration file': mailPassword } = values as Record<keyof typeof SECRETS, string>;
const env = [`Payment__ApiKey=${environment}`, `GREETING=${values['input secrets']}`];

let folder: string;
let project: string;
let before: string[];

beforeAll(async () => {
  folder = newFolder();
  before = await leftovers();
  project = await checkOut(join(folder, 'checkout'));
});
afterAll(async () => {
  await docker(['image', 'rm', '--force', image, `dotnet-snapshot/${NAME}:app`], { mayFail: true });
});

/** The app's repository as a developer has it, secrets and all; resolves to the project's folder. */
async function checkOut(at: string): Promise<string> {
  const app = join(at, 'src', 'Keeper');
  await cp(join(PROJECT_ROOT, 'test/integration/apps/keeper'), app, {
    recursive: true,
    filter: (path) => !['bin', 'obj'].includes(basename(path)),
  });
  const settings = { Mail: { Host: 'mail.internal', Password: mailPassword } };
  await writeFile(join(app, 'appsettings.json'), JSON.stringify(settings));
  await writeFile(join(app, 'traffic.yaml'), traffic());
  return app;
}

/** JSON is YAML. */
function traffic(more: object[] = []): string {
  const credentials = {
    Authorization: `Bearer ${values['request header Authorization']}`,
    'X-Api-Key': values['request header X-Api-Key'],
    Cookie: `session=${values.cookie}; theme=dark`,
  };
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = `user=shop&password=${encodeURIComponent(values['form of a request']!)}`;
  const login = { user: 'shop', password: values['JSON of a request'], nonce };
  return JSON.stringify({
    version: 1,
    requests: [
      { name: 'account', path: '/account', headers: credentials, expect: { status: 200 } },
      { name: 'login', method: 'POST', path: '/login', json: login, expect: { status: 200 } },
      { name: 'form', method: 'POST', path: '/form', headers: form, body, expect: { status: 200 } },
      { name: 'started', path: '/started', expect: { status: 200 } },
      ...more,
    ],
  });
}

function tokenFor(id: string): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signature = createHash('sha256').update(`answer ${id}`).digest('base64url');
  return `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: '1000', jti: id })}.${signature}`;
}

interface Built extends Finished {
  output: string;
  /** Everything that the run said or wrote, but for the snapshot itself. */
  places: Map<string, Buffer>;
}

/** Builds the app by the command line with everything said that can be said. */
async function build(what: string, flags: string[] = [], trafficFile = join(project, 'traffic.yaml')): Promise<Built> {
  const output = join(folder, what);
  const finished = await cli([
    ...['build', '--verbose'],
    ...['--project', project, '--traffic', trafficFile, '--ready-path', '/healthz', '--name', NAME, '--tag', image],
    ...['--output', output, '--pairs', '1', '--clones', '1', '--warmup-timeout', '1', '--ready-timeout', '15'],
    ...env.flatMap((pair) => ['--env', pair]),
    ...['--secrets-at-build', 'real'],
    ...['--secrets', `LICENSE=${values['input secrets']}`],
    ...flags,
  ]);
  await mkdir(output, { recursive: true });
  const places = await contentsOf(output, /\/snapshot\//);
  places.set('standard output', Buffer.from(finished.stdout)).set('standard error', Buffer.from(finished.stderr));
  return { ...finished, output, places };
}

describe('a snapshot with a secret from every source', () => {
  let built: Built;
  let told: string;
  beforeAll(async () => {
    built = await build('blocked');
    const { runs } = JSON.parse(await readFile(join(built.output, 'scan.sarif'), 'utf8'));
    told = runs[0].results.map(({ message }: { message: { text: string } }) => message.text).join('\n');
  });

  test('is refused, and nothing of it is kept', async () => {
    expect(built.stderr).toContain('DS4001');
    expect(built.code).toBe(4);
    expect([...(await contentsOf(built.output)).keys()].filter((file) => !/scan\.(sarif|json)$/.test(file))).toEqual(
      [],
    );
    expect((await docker(['image', 'inspect', image], { mayFail: true })).code).not.toBe(0);
    expect(await leftovers(before)).toEqual([]);
  });

  test.each(Object.keys(SECRETS) as (keyof typeof SECRETS)[])('%s: found, and told where it is from', (name) => {
    expect(told).toMatch(SECRETS[name].told);
    expect(built.stdout + built.stderr).toMatch(SECRETS[name].told);
  });

  test('no value is told', () => {
    expect(built.places.size).toBeGreaterThanOrEqual(3);
    expect(leaksInAll(built.places, values)).toEqual([]);
  });
});

describe('whatever else goes wrong, no value is told', () => {
  test('when the app quotes one as it crashes', async () => {
    const { stderr, code, places } = await build('crash', ['--env', 'MODE=crash']);
    expect(stderr).toMatch(/DS3002: [\s\S]*log in to the mail server: Mail \{ Host = mail\.internal/);
    expect(code).toBe(3);
    expect(leaksInAll(places, values)).toEqual([]);
  });

  test('when the app logs one and is never ready', async () => {
    const { stderr, code, places } = await build('never', [
      ...['--env', 'MODE=tell', '--ready-path', '/nowhere'],
      // Else the log's last lines are those of the requests for /nowhere.
      ...['--env', 'Logging__LogLevel__Microsoft=Warning'],
    ]);
    expect(stderr).toMatch(/DS3001: [\s\S]*Started with Mail \{ Host = mail\.internal/);
    expect(code).toBe(3);
    expect(leaksInAll(places, values)).toEqual([]);
  });

  test('when an answer with one is not as expected', async () => {
    const file = join(project, 'unmet.yaml');
    const expectation = { status: 200, bodyContains: `Password = ${values['form of a request']}` };
    await writeFile(file, traffic([{ name: 'unmet', path: '/started', expect: expectation }]));
    const { stderr, code, places } = await build('unmet', [], file);
    expect(stderr).toMatch(/DS5001: [\s\S]*unmet/);
    expect(code).toBe(5);
    expect(leaksInAll(places, values)).toEqual([]);
  });

  test('when a clone answers otherwise', async () => {
    const { stderr, code, places } = await build('differ', ['--env', 'MODE=differ', '--scan', 'warn']);
    expect(stderr).toMatch(/DS5003: [\s\S]*started/);
    expect(code).toBe(5);
    expect(leaksInAll(places, values)).toEqual([]);
  });
});

describe('with scan: warn', () => {
  let built: Built;
  beforeAll(async () => {
    built = await build('warn', ['--scan', 'warn', '--env', 'MODE=tell']);
  });

  test('the snapshot is kept, and said to hold secrets', async () => {
    expect(built.code).toBe(0);
    const manifest = JSON.parse(await readFile(join(built.output, 'snapshot/manifest.json'), 'utf8'));
    expect(manifest.scan.verdict).toBe('findings');
    expect(await readFile(join(built.output, 'report.md'), 'utf8')).toMatch(/secret/i);
  });

  test('no value is in the report, the manifest or the files to deploy by', async () => {
    const manifest = await readFile(join(built.output, 'snapshot/manifest.json'));
    const places = new Map([...built.places, ['manifest.json', manifest]]);
    expect([...places.keys()].join()).toMatch(/report\.md.*report\.json|report\.json.*report\.md/);
    expect(leaksInAll(places, values)).toEqual([]);
  });

  test.each(['text', 'json', 'sarif'])('no value is told by the command scan as %s', async (format) => {
    const flags = ['scan', '--verbose', join(built.output, 'snapshot'), '--format', format];
    const { code, stdout, stderr } = await cli(flags, { Payment__ApiKey: environment });
    expect(code).toBe(4);
    expect(stdout).toContain('Payment__ApiKey');
    expect(leaksIn(Buffer.from(stdout + stderr), values)).toEqual([]);
  });
});

describe('the action in debug mode', () => {
  const APP = 'scan-action-test';
  let results: ResultsService;
  let api: GitHubApi;
  let runId = 900;

  beforeAll(async () => {
    results = await ResultsService.start();
    api = await GitHubApi.start('octo/app');
    await checkOut(join(folder, 'workspace'));
  });
  afterAll(async () => {
    await results?.close();
    await api?.close();
    await docker(['image', 'rm', '--force', `dotnet-snapshot/${APP}:app`], { mayFail: true });
  });

  /** A job with the action as its step; what it leaves where, masks aside: they are how a runner is told of values. */
  async function run(trigger: ReturnType<typeof push>, inputs: Record<string, string>) {
    const machine = join(folder, 'machine');
    const job = await createJob({
      trigger,
      workspace: join(folder, 'workspace'),
      machine,
      resultsUrl: results.url,
      apiUrl: api.url,
      permissions: { contents: 'read', 'pull-requests': 'write' },
      runId: runId++,
    });
    let raw = '';
    job.onLine = (line) => {
      if (!line.startsWith('::add-mask::')) raw += `${line}\n`;
    };
    const outcome = await runAction(
      job,
      actionFileIn(PROJECT_ROOT),
      {
        project: 'src/Keeper',
        traffic: 'src/Keeper/traffic.yaml',
        name: APP,
        'ready-path': '/healthz',
        'warmup-timeout': '1',
        pairs: '1',
        clones: '1',
        env: env.join('\n'),
        'secrets-at-build': 'real',
        secrets: `LICENSE=${values['input secrets']}`,
        'github-token': job.github.token,
        ...inputs,
      },
      { RUNNER_DEBUG: '1', ACTIONS_STEP_DEBUG: 'true' },
    );
    const places = await contentsOf(machine, /\/snapshot\//);
    for (const [place, content] of Object.entries({
      log: raw,
      'log as the runner shows it': outcome.log,
      outputs: JSON.stringify(outcome.outputs),
      state: JSON.stringify([outcome.state, job.added]),
      summary: outcome.summary,
      annotations: JSON.stringify(outcome.annotations),
      comments: JSON.stringify(api.comments),
      images: await runProgram(['docker', 'image', 'ls', '--no-trunc', '--format', '{{json .}}']),
    }))
      places.set(place, Buffer.from(content));
    return { ...outcome, places, raw };
  }

  test('stops at a secret, stores nothing, and tells no value', async () => {
    const { exitCode, outputs, annotations, places } = await run(push('octo/app', 'main'), {});
    expect(exitCode).toBe(4);
    expect(Number(outputs.findings)).toBeGreaterThanOrEqual(Object.keys(SECRETS).length);
    expect(annotations.some(({ message }) => message.includes('DS4001'))).toBe(true);
    expect(results.artifacts).toEqual([]);
    expect(results.caches.filter(({ key }) => !/runtime|bundle/.test(key))).toEqual([]);
    expect(leaksInAll(places, values)).toEqual([]);
  });

  test('told only to warn, it comments on the pull request, and tells no value', async () => {
    const { exitCode, places } = await run(pullRequest('octo/app', 7), {
      scan: 'warn',
      artifact: 'false',
      cache: 'false',
    });
    expect(exitCode).toBe(0);
    expect(api.comments.map(({ body }) => body).join()).toMatch(/secret/i);
    expect(leaksInAll(places, values)).toEqual([]);
  });
});
