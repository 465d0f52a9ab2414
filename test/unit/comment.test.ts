import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cutComment, LONGEST_COMMENT, upsertComment } from '../../src/report/comment.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { createApiToken, GitHubApi } from '../harness/github-api.ts';
import { type RecordingLog, recordingLog } from '../harness/recording-log.ts';
import { sampleReport } from './report-sample.ts';

const MARKER = '<!-- dotnet-snapshot:todo-api -->';
const TOKEN = createApiToken({ 'pull-requests': 'write' });
let api: GitHubApi;
let log: RecordingLog;

beforeEach(async () => {
  api = await GitHubApi.start('octo/app');
  log = recordingLog();
});

afterEach(() => api.close());

const upsert = (body: string, name = 'todo-api', token = TOKEN) =>
  upsertComment({ token, apiUrl: api.url, repository: 'octo/app', pullRequest: 7, name, body, log });

const bodies = () => api.comments.map(({ body }) => body);

describe('upsertComment', () => {
  it('writes one comment and then writes over it', async () => {
    expect(await upsert('first')).toBe('created');
    expect(await upsert('second')).toBe('updated');
    expect(bodies()).toEqual([`${MARKER}\n\nsecond`]);
    expect(log.warnings).toEqual([]);
  });

  it('takes the marker that the report begins with', async () => {
    const body = renderMarkdown(sampleReport(), { marker: true });
    await upsert(body);
    expect(bodies()).toEqual([body]);
  });

  it('keeps one for each app and each pull request', async () => {
    api.add(8, `${MARKER}\n\nanother pull request`);
    await upsert('api');
    await upsert('worker', 'worker');
    expect(await upsert('api again')).toBe('updated');
    expect(bodies()).toEqual([
      `${MARKER}\n\nanother pull request`,
      `${MARKER}\n\napi again`,
      '<!-- dotnet-snapshot:worker -->\n\nworker',
    ]);
  });

  it('finds it on a later page', async () => {
    for (let index = 0; index < 230; index++) api.add(7, `chatter ${index}`);
    api.add(7, `${MARKER}\n\nold`);
    expect(await upsert('new')).toBe('updated');
    expect(api.comments).toHaveLength(231);
    expect(bodies().at(-1)).toContain('new');
  });

  it.each([true, false])(
    'leaves comments alone that others wrote with the marker (viewer known: %s)',
    async (known) => {
      api.knowsViewer = known;
      const forged = `${MARKER}\n\nforged`;
      api.add(7, forged, { login: 'mallory', type: 'User' });
      if (known) api.add(7, forged, { login: 'another[bot]', type: 'Bot' });
      api.add(7, `quoting ${MARKER}`);
      expect(await upsert('real')).toBe('created');
      expect(await upsert('real again')).toBe('updated');
      expect(bodies().filter((body) => body === forged)).toHaveLength(known ? 2 : 1);
      expect(bodies().at(-1)).toContain('real again');
    },
  );

  it('warns with the missing permission when the token is read-only', async () => {
    expect(await upsert('report', 'todo-api', createApiToken({ contents: 'read' }))).toBe('skipped');
    expect(log.warnings).toEqual([expect.stringMatching(/pull-requests: write.*fork.*summary/)]);
  });

  it('warns when GitHub fails otherwise', async () => {
    await api.close();
    const closed = api;
    api = await GitHubApi.start('octo/app');
    const request = {
      token: TOKEN,
      apiUrl: closed.url,
      repository: 'octo/app',
      pullRequest: 7,
      name: 'a',
      body: 'b',
      log,
    };
    expect(await upsertComment(request)).toBe('skipped');
    expect(await upsertComment({ ...request, apiUrl: api.url, repository: 'octo/gone' })).toBe('skipped');
    expect(log.warnings).toEqual([expect.stringContaining('summary'), expect.stringContaining('Not Found')]);
  });

  it('sends no more than GitHub takes', async () => {
    expect(await upsert('a line of text\n'.repeat(10_000))).toBe('created');
    expect(bodies()[0]?.length).toBeLessThanOrEqual(LONGEST_COMMENT);
    expect(bodies()[0]).toContain('longer than a comment may be');
  });
});

describe('cutComment', () => {
  it('leaves what fits', () => {
    const body = 'x'.repeat(LONGEST_COMMENT);
    expect(cutComment(body)).toBe(body);
  });

  it('cuts at the end of a line', () => {
    const cut = cutComment('marker\nshort\n'.padEnd(400, 'long '), 200);
    expect(cut.startsWith('marker\nshort\n\n> [!NOTE]')).toBe(true);
  });

  it('closes what the cut leaves open, within the limit', () => {
    const rows = 'row\n'.repeat(200);
    for (let longest = 150; longest < 300; longest++) {
      const cut = cutComment(`marker\n<details>\n<details>\n\`\`\`\n${rows}\`\`\`\n</details></details>\n`, longest);
      expect(cut.length).toBeLessThanOrEqual(longest);
      expect(cut.match(/<\/details>/g)?.length).toBe(cut.match(/<details>/g)?.length);
      expect((cut.match(/```/g)?.length ?? 0) % 2).toBe(0);
    }
  });

  it('has an end even where there is no line to cut at', () => {
    expect(cutComment('x'.repeat(400), 200)).toMatch(/^\n\n> \[!NOTE\]/);
  });
});
