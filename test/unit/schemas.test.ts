import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { SCHEMAS } from '../../scripts/schemas.ts';
import { version } from '../../src/version.ts';

it.each(Object.keys(SCHEMAS))('%s is what scripts/schemas.ts makes', (file) => {
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(SCHEMAS[file]);
});

it('every file in schema/ is made by scripts/schemas.ts', () => {
  expect(readdirSync('schema').map((file) => `schema/${file}`)).toEqual(Object.keys(SCHEMAS).sort());
});

it('CHANGELOG.md has an entry for the version in package.json', () => {
  expect(readFileSync('CHANGELOG.md', 'utf8')).toContain(`## [${version}]`);
});
