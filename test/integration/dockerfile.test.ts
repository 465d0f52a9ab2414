import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Docker } from '../../src/engine/docker.ts';
import { createRun } from '../../src/exec.ts';
import { imageFromDockerfile } from '../../src/image/dockerfile.ts';
import { silentLog } from '../../src/log.ts';
import type { DockerfileOptions } from '../../src/model/index.ts';
import { docker } from '../harness/cli.ts';
import { newFolder } from '../harness/folder.ts';

// Images of nothing but files: only how they are built is looked at.
const engine = new Docker(createRun(process.env), 'dockerfile-test');
const tag = `dotnet-snapshot-test/dockerfile:${process.pid}`;
const files: Record<string, string> = {
  // As Visual Studio makes them: beside the project, and for the folder of the solution.
  'sln/Api/Dockerfile': `FROM scratch AS base
ARG COLOUR=none
LABEL colour=$COLOUR
ENTRYPOINT ["/Api"]
FROM base AS build
COPY ["Api/Api.csproj", "Api/"]
FROM build AS final
LABEL stage=final
`,
  'sln/Api/Api.csproj': '<Project />',
  'sln/Api/Ignored/Dockerfile': 'FROM scratch\nCOPY secret.txt /\nENTRYPOINT ["/x"]\n',
  'sln/Api/Ignored/secret.txt': '',
  'sln/Api/Ignored/.dockerignore': 'secret.txt\n',
  'sln/Api/Outside/Dockerfile': 'FROM scratch\nCOPY ../Api.csproj /\nENTRYPOINT ["/x"]\n',
  'sln/Api/Stage/Dockerfile': 'FROM scratch AS one\nFROM scratch\nCOPY --from=one /Api.csproj /\nENTRYPOINT ["/x"]\n',
  'sln/Api/Nowhere/Dockerfile': 'FROM scratch\nCOPY missing.txt /\nENTRYPOINT ["/x"]\n',
};
let folder: string;

beforeAll(() => {
  folder = newFolder();
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
});
afterAll(() => docker(['image', 'rm', '--force', tag], { mayFail: true }));

const build = (path: string, options: Partial<DockerfileOptions> = {}) =>
  imageFromDockerfile(
    { kind: 'dockerfile', path: join(folder, path), buildArguments: {}, secrets: [], ...options },
    { tag, label: 'own=1', shown: 'shown', user: '1654' },
    { docker: engine, log: silentLog },
  );

test('a Dockerfile is built with its context, arguments, target and platform', async () => {
  const platform = process.arch === 'arm64' ? 'linux/arm64' : 'linux/amd64';
  const context = join(folder, 'sln');
  const app = await build('sln/Api/Dockerfile', { context, buildArguments: { COLOUR: 'deep red' }, platform });
  expect(app).toMatchObject({ command: ['/Api'], reference: tag, baseImage: 'shown' });
  expect((await engine.requireImage(tag)).labels).toEqual({ colour: 'deep red', own: '1', stage: 'final' });
  await build('sln/Api/Dockerfile', { context, target: 'build' });
  expect((await engine.requireImage(tag)).labels).toEqual({ colour: 'none', own: '1' });
});

test.each([
  ['sln/Api/Dockerfile', 'copies Api/Api.csproj, which is not in the context CONTEXT.', /--context \S*\/sln\.$/],
  [
    'sln/Api/Ignored/Dockerfile',
    'copies secret.txt, which .dockerignore keeps out of the context CONTEXT.',
    /pass secret\.txt/,
  ],
  ['sln/Api/Nowhere/Dockerfile', 'copies missing.txt, which is not in the context CONTEXT.', /--context FOLDER/],
  [
    'sln/Api/Outside/Dockerfile',
    'copies ../Api.csproj, which lies outside of the context CONTEXT.',
    /from a folder above/,
  ],
])('what %s copies and the context does not have is named', async (path, cause, fix) => {
  const dockerfile = join(folder, path);
  await expect(build(path)).rejects.toMatchObject({
    code: 'DS2004',
    message: `${dockerfile} ${cause.replace('CONTEXT', dirname(dockerfile))}`,
    fix: expect.stringMatching(fix),
  });
});

test('what another stage does not have is not looked for in the context', async () => {
  await expect(build('sln/Api/Stage/Dockerfile')).rejects.toMatchObject({
    code: 'DS2004',
    message: expect.stringContaining("can't be built"),
  });
});

test('a Dockerfile or context that is not there is told before anything is built', async () => {
  await expect(build('sln/Dockerfile')).rejects.toMatchObject({ code: 'DS1001' });
  await expect(build('sln/Api/Dockerfile', { context: join(folder, 'gone') })).rejects.toMatchObject({
    code: 'DS1001',
  });
});
