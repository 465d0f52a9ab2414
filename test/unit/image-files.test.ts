import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeFiles, isIntact } from '../../src/checkpoint/imageFiles.ts';
import type { Manifest } from '../../src/model/index.ts';
import { newFolder } from '../harness/folder.ts';

test('image files are described by both digests, and a changed one is found', async () => {
  const directory = newFolder();
  await writeFile(join(directory, 'empty.img'), '');
  await writeFile(join(directory, 'pages-1.img'), 'a'.repeat(3_000_000));
  const files = await describeFiles(directory);
  // The first is the published XXH64 of nothing with seed 0, which the launcher's C code computes, too.
  expect(files['empty.img']).toMatchObject({ xxh64: 'ef46db3751d8e999', bytes: 0 });
  const sha256 = createHash('sha256').update('a'.repeat(3_000_000)).digest('hex');
  expect(files['pages-1.img']).toMatchObject({ sha256, bytes: 3_000_000 });
  expect(await isIntact(directory, { files } as Manifest)).toBe(true);
  await writeFile(join(directory, 'pages-1.img'), `${'a'.repeat(2_999_999)}b`);
  expect(await isIntact(directory, { files } as Manifest)).toBe(false);
});
