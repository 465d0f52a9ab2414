import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { createRun } from '../../src/exec.ts';
import { failureOf } from '../../src/publish/failure.ts';
import { findProject } from '../../src/publish/find.ts';
import { readProject } from '../../src/publish/project.ts';
import { newFolder } from '../harness/folder.ts';

// The real SDK reads real projects; nothing is restored or built. On a busy machine it takes its time.
vi.setConfig({ testTimeout: 60_000 });
const run = createRun(process.env);
let folder: string;

const project = (properties: string, { sdk = 'Microsoft.NET.Sdk.Web', items = '' } = {}) =>
  `<Project Sdk="${sdk}"><PropertyGroup>${properties}</PropertyGroup><ItemGroup>${items}</ItemGroup></Project>`;
const net10 = '<TargetFramework>net10.0</TargetFramework>';
const solution = (...paths: string[]) =>
  `<Solution>${paths.map((path) => `<Project Path="${path}" />`).join('')}</Solution>`;

const FILES: Record<string, string> = {
  // One web app among a library, a tool and tests, two of which are made with the SDK for the web.
  'shop/Shop.slnx': solution(
    'src/Api/Api.csproj',
    'src/Lib/Lib.csproj',
    'src/Tool/Tool.csproj',
    'tests/T1.csproj',
    'tests/T2.csproj',
  ),
  'shop/src/Api/Api.csproj': project(net10),
  'shop/src/Lib/Lib.csproj': project(net10, { sdk: 'Microsoft.NET.Sdk' }),
  'shop/src/Tool/Tool.csproj': project(`${net10}<OutputType>Exe</OutputType>`, { sdk: 'Microsoft.NET.Sdk' }),
  'shop/tests/T1.csproj': project(net10, {
    items: '<PackageReference Include="Microsoft.NET.Test.Sdk" Version="17.0.0" />',
  }),
  'shop/tests/T2.csproj': project(`${net10}<IsTestProject>true</IsTestProject>`),
  // The older format, with the separators of Windows; two apps.
  'old/Old.sln': `Microsoft Visual Studio Solution File, Format Version 12.00
Project("{9A19103F-16F7-4668-BE54-9A1E7A4F7556}") = "A", "A\\A.csproj", "{11111111-1111-1111-1111-111111111111}"
EndProject
Project("{9A19103F-16F7-4668-BE54-9A1E7A4F7556}") = "B", "B\\B.csproj", "{22222222-2222-2222-2222-222222222222}"
EndProject
`,
  'old/A/A.csproj': project(net10),
  'old/B/B.csproj': project(net10),
  'worker/W.slnx': solution('W.fsproj', 'L.csproj'),
  'worker/W.fsproj': project(net10, { sdk: 'Microsoft.NET.Sdk.Worker' }),
  'worker/L.csproj': project(net10, { sdk: 'Microsoft.NET.Sdk' }),
  // What is set above the project counts; a path with blanks and letters of other alphabets.
  'mit Ümlaut 日本/Directory.Build.props': `<Project><PropertyGroup>${net10}<AssemblyName>From.Above</AssemblyName></PropertyGroup></Project>`,
  'mit Ümlaut 日本/Directory.Packages.props':
    '<Project><PropertyGroup><ManagePackageVersionsCentrally>true</ManagePackageVersionsCentrally></PropertyGroup></Project>',
  'mit Ümlaut 日本/an app/App.csproj': project(''),
  'one/One.csproj': project('<TargetFrameworks>net10.0</TargetFrameworks>'),
  'several/Several.csproj': project('<TargetFrameworks>net8.0;net10.0;</TargetFrameworks>'),
  'visual/V.vbproj': project(`${net10}<OutputType>Exe</OutputType>`, { sdk: 'Microsoft.NET.Sdk' }),
  'noisy/Noisy.csproj': `<Project Sdk="Microsoft.NET.Sdk.Web" InitialTargets="Noise"><PropertyGroup>${net10}</PropertyGroup>
<Target Name="Noise"><Message Importance="high" Text="{ said before }" /><Warning Text="said, too" /></Target></Project>`,
  'file/Server.cs': '#:sdk Microsoft.NET.Sdk.Web\n#:property AssemblyName=Filer\nConsole.WriteLine();\n',
  'file/Tool.cs': 'Console.WriteLine();\n',
  'pinned/global.json': '{ "sdk": { "version": "99.0.100", "rollForward": "disable" } }',
  'pinned/App/App.csproj': project(net10),
  'profile/App.csproj': project(net10),
};

beforeAll(() => {
  folder = newFolder();
  for (const [file, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  }
});

const read = async (path: string, options = {}) =>
  readProject(run, await findProject(join(folder, path), run), options);

describe('a path means', () => {
  test.each([
    ['shop', 'shop/src/Api/Api.csproj'],
    ['worker/W.slnx', 'worker/W.fsproj'],
    ['one', 'one/One.csproj'],
    ['visual', 'visual/V.vbproj'],
    ['file/Server.cs', 'file/Server.cs'],
  ])('%s: %s', async (path, found) => {
    expect(await findProject(join(folder, path), run)).toBe(join(folder, found));
  });

  test.each([
    ['old', 'DS1003', /holds 2 apps: .*A\/A\.csproj, .*B\/B\.csproj/],
    ['worker', 'DS1003', /holds 2 projects: L\.csproj, W\.fsproj/],
    ['file', 'DS1002', /holds no .NET project and no solution/],
    ['shop/src/Lib', 'DS1006', /does not build an app/],
    ['shop/tests/T1.csproj', 'DS1006', /does not build an app/],
    ['mit Ümlaut 日本/Directory.Build.props', 'DS1002', /is no .NET project/],
    ['several', 'DS1001', /several target frameworks: net8\.0, net10\.0\./],
    ['pinned/App', 'DS2003', /pinned\/global\.json asks for .NET SDK 99\.0\.100/],
  ])('nothing that can be built: %s, %s', async (path, code, message) => {
    await expect(read(path)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });
});

describe('a project is read', () => {
  test.each([
    ['with one value in TargetFrameworks', 'one', 'One'],
    ['with what is set above it, in a path of any letters', 'mit Ümlaut 日本/an app', 'From.Above'],
    ['whatever MSBuild says around it', 'noisy', 'Noisy'],
    ['where it is one C# file', 'file/Server.cs', 'Filer'],
    ['in Visual Basic', 'visual', 'V'],
  ])('%s', async (_what, path, assembly) => {
    expect(await read(path)).toMatchObject({ assembly, targetFramework: 'net10.0' });
  });

  test('as one of its frameworks, and no other', async () => {
    expect(await read('several', { framework: 'net8.0' })).toMatchObject({ targetFramework: 'net8.0' });
    await expect(read('several', { framework: 'net9.0' })).rejects.toMatchObject({
      code: 'DS1001',
      message: expect.stringContaining('is not for net9.0, but for net8.0, net10.0.'),
    });
  });

  test('as it is published: with the properties among the arguments', async () => {
    const publishArguments = ['--self-contained', '-p:AssemblyName=Renamed'];
    expect(await read('profile', { publishArguments })).toMatchObject({ assembly: 'Renamed' });
  });
});

describe('a restore that fails', () => {
  // Lines of the SDK 10.0.
  test.each([
    [
      'error NU1301: Unable to load the service index for source http://user:hush@feed.example/v3/index.json.\nx : error NU1301:   Response status code does not indicate success: 401 (Unauthorized).',
      'the feed http://feed.example/v3/index.json refuses the credentials that it gets, or gets none.',
    ],
    ["error NU1301: The local source '/feeds/own' doesn't exist.", "the feed /feeds/own can't be used."],
    [
      'error NU1101: Unable to find package Acme.Core. No packages exist with this id in source(s): acme, nuget.org [/x.sln]',
      'Acme.Core is in none of the feeds in a version that is asked for (acme, nuget.org).',
    ],
    [
      'error NU1102: Unable to find package Npgsql with version (>= 99.0.0)\nx : error NU1102:   - Found 8 version(s) in nuget.org [ Nearest version: 10.0.3 ]',
      'Npgsql is in none of the feeds in a version that is asked for (nuget.org).',
    ],
  ])('names the feed: %j', (lines, cause) => {
    const error = failureOf('/x/App.csproj', { stdout: `Restoring\n/x/App.csproj : ${lines}\n`, stderr: '' });
    expect(error).toMatchObject({
      code: 'DS2002',
      message: `The packages of /x/App.csproj can't be restored: ${cause}`,
    });
    expect(error.format()).not.toContain('hush');
  });
});
