import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressOf, docker, type Finished, statusOf } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';

// Two different apps of one name, built at the same time: a project, by somebody whose files nobody else may read, and a
// program of one file that is published as a single file, in a path of blanks and other letters.
const root = join(import.meta.dirname, '../..');
const name = `at-once-${process.pid}`;
const program = (answer: string) =>
  `var app = WebApplication.CreateBuilder(args).Build();\napp.MapGet("/", () => "${answer}");\napp.Run();\n`;
const files = {
  [`one/${name}/App.csproj`]: '<Project Sdk="Microsoft.NET.Sdk.Web" />',
  'one/Directory.Build.props':
    '<Project><PropertyGroup><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings></PropertyGroup></Project>',
  [`one/${name}/Program.cs`]: program('the project'),
  [`mit Ümlaut 日本/${name}.cs`]: `#:sdk Microsoft.NET.Sdk.Web\n#:property PublishSingleFile=true\n#:property RuntimeIdentifier=linux-${process.arch}\n#:property SelfContained=false\n${program('the file')}`,
  'traffic.yaml':
    'version: 1\nrequests:\n  - name: root\n    path: /\n    repeat: 20\n    expect: { status: 200, bodyContains: the }\n',
};
let folder: string;
let builds: Finished[];
const images: string[] = [];
const containers: string[] = [];

/** The command line under a umask. */
function buildUnder(umask: string, project: string, output: string): Promise<Finished> {
  const words = ['--project', join(folder, project), '--traffic', join(folder, 'traffic.yaml')];
  const few = ['--output', join(folder, output), '--clones', '1', '--pairs', '1', '--warmup-timeout', '1'];
  const node = join(root, 'node_modules/.bin/node');
  const script = `umask ${umask}; exec "$@"`;
  const child = spawn('sh', ['-c', script, 'sh', node, 'dist/cli.cjs', 'build', ...words, ...few], { cwd: root });
  return new Promise((resolve) => {
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

beforeAll(async () => {
  folder = newFolder();
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
  builds = await Promise.all([
    buildUnder('077', `one/${name}`, 'out-one'),
    buildUnder('022', `mit Ümlaut 日本/${name}.cs`, 'out-other'),
  ]);
});
afterAll(async () => {
  await docker(['rm', '--force', ...containers], { mayFail: true });
  const { stdout } = await docker(['images', '--format', '{{.Repository}}:{{.Tag}}']);
  const made = stdout.split('\n').filter((image) => image.startsWith(`dotnet-snapshot/${name}`));
  await docker(['image', 'rm', '--force', ...made], { mayFail: true });
});

test('both are built, and named apart', () => {
  for (const { code, stdout, stderr } of builds) {
    expect(stderr).not.toMatch(/DS\d{4}/);
    expect(code).toBe(0);
    images.push(/^image +(\S+)$/m.exec(stdout)![1]!);
  }
  expect(images[0]).not.toBe(images[1]);
  expect(images).toContain(`dotnet-snapshot/${name}:restore-ready`);
  const warnings = builds.map(({ stderr }) => stderr.includes('is the image of another app of that name'));
  expect(warnings.filter(Boolean)).toHaveLength(1);
});

test.each([
  [0, 'the project'],
  [1, 'the file'],
])('image %i restores its own app', async (index, answer) => {
  const { stdout } = await docker(['run', '--detach', '--env', 'DOTNET_SNAPSHOT=require', images[index]!]);
  const container = stdout.trim();
  containers.push(container);
  const url = `http://${await addressOf(container)}:8080/`;
  expect(await statusOf(url)).toBe(200);
  expect(await (await fetch(url)).text()).toBe(answer);
});

test('only an image that is named to stay is left', async () => {
  const { stdout } = await docker(['images', '--format', '{{.Repository}}:{{.Tag}}']);
  const made = stdout.split('\n').filter((image) => image.startsWith(`dotnet-snapshot/${name}`));
  expect(made.filter((image) => !/:(app|restore-ready)$/.test(image))).toEqual([]);
});
