import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { reportSchema } from '../../src/store/report-schema.ts';
import { cli, docker } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';
import { runProgram } from '../harness/run-program.ts';

// What everybody starts from must pass the search for secrets; the samples are in samples.test.ts.
describe.each([
  { template: 'mvc', path: '/' },
  { template: 'webapp', path: '/' },
  { template: 'webapi', path: '/weatherforecast' },
])('the SDK’s template $template', ({ template, path }) => {
  const name = `clean-${template}`;
  const tag = `dotnet-snapshot-test/${name}:restore-ready`;
  afterAll(async () => {
    await docker(['image', 'rm', '--force', tag, `dotnet-snapshot/${name}:app`], { mayFail: true });
  });

  test('holds no secret', async () => {
    const folder = newFolder();
    const app = join(folder, 'app');
    await runProgram(['dotnet', 'new', template, '--output', app, '--name', 'Clean', '--no-restore']);
    const traffic = join(app, 'traffic.yaml');
    await writeFile(traffic, JSON.stringify({ version: 1, requests: [{ name: 'home', path, repeat: 20 }] }));
    const output = join(folder, 'output');
    const { code, stderr } = await cli([
      'build',
      ...['--project', app, '--traffic', traffic, '--name', name, '--tag', tag, '--output', output],
      ...['--ready-path', path, '--pairs', '1', '--clones', '1', '--warmup-timeout', '2'],
    ]);
    expect(stderr).not.toMatch(/DS\d{4}/);
    expect(code).toBe(0);
    const { scan } = reportSchema.parse(JSON.parse(await readFile(join(output, 'report.json'), 'utf8')));
    expect(scan.findings).toBe(0);
  });
});
