import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { secretsBefore } from '../../../src/secrets/known.ts';

const folder = mkdtempSync(join(tmpdir(), 'known-secrets-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a build knows of secrets from everywhere', async () => {
  const values = Object.fromEntries(
    ['given', 'build', 'image', 'app', 'traffic', 'project', 'published', 'user'].map((name) => [
      name,
      `k${randomBytes(16).toString('hex')}`,
    ]),
  );
  const json = (path: string, value: unknown) => {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), JSON.stringify(value));
  };
  json('src/appsettings.json', { ApiKeys: { Search: values.project } });
  json('out/appsettings.json', { ApiKeys: { Search: values.published } });
  json('home/.microsoft/usersecrets/an-id/secrets.json', { Motto: values.user });
  writeFileSync(join(folder, 'src/App.csproj'), '<Project><UserSecretsId>an-id</UserSecretsId></Project>');
  const exchange = { name: 'login', method: 'POST', path: '/', repeat: 1, headers: { 'x-api-key': values.traffic! } };
  const secrets = await secretsBefore(
    {
      inputs: {
        source: { kind: 'project', path: join(folder, 'src/App.csproj'), publishArguments: [] },
        env: { APP_TOKEN: values.app! },
        secrets: [{ name: 'secret A', value: values.given!, explicit: true }],
      },
      app: { env: { IMAGE_TOKEN: values.image! } },
      published: { directory: join(folder, 'out'), project: join(folder, 'src/App.csproj') },
      traffic: { exchanges: [exchange] },
    },
    { BUILD_TOKEN: values.build!, HOME: join(folder, 'home') },
  );
  expect(Object.fromEntries(secrets.map(({ name, value }) => [value, name]))).toEqual({
    [values.given!]: 'secret A',
    [values.build!]: 'environment BUILD_TOKEN',
    [values.image!]: 'environment IMAGE_TOKEN',
    [values.app!]: 'environment APP_TOKEN',
    [values.traffic!]: 'traffic "login" x-api-key',
    [values.project!]: 'appsettings.json ApiKeys:Search',
    [values.published!]: 'appsettings.json ApiKeys:Search',
    [values.user!]: 'user secret Motto',
  });
});

test('a name that build, image and app share hides none of its values', async () => {
  const [build, image, own] = ['build', 'image', 'app'].map((name) => `${name}${randomBytes(16).toString('hex')}`);
  const secrets = await secretsBefore(
    { inputs: { env: { API_TOKEN: own! }, secrets: [] }, app: { env: { API_TOKEN: image! } } },
    { API_TOKEN: build! },
  );
  expect(secrets.map(({ value }) => value)).toEqual([build, image, own]);
});
