import { bytesField, image, integers, MAGIC, message, pagemap, present } from './criu.ts';
import { noise, PAGE } from './placements.ts';
import type { Random } from './random.ts';

/** Length of the secret, which a rule finds by its form, in characters. */
export const SECRET_LENGTH = 40;

/** The files of a small, whole snapshot of one process, with the secret in its memory. */
export function snapshotFiles(random: Random, secret: string): Map<string, Buffer> {
  const areas = [3, 1, 2].map((pages) => noise(random, pages * PAGE));
  for (const [index, area] of areas.entries()) {
    const text = Buffer.from(`\0\0\0\0token=${secret}\0\0\0\0`, index === 1 ? 'utf16le' : 'utf8');
    text.copy(area, 1000 + 64 * index);
  }
  const addresses = [0x5500_0000_0000n, 0x7f00_0000_0000n, 0x7fff_0000_0000n];
  const area = (index: number) =>
    integers({
      1: addresses[index]!,
      2: addresses[index]! + 0x3000n,
      3: 0,
      4: 0,
      5: 3,
      6: 0x22,
      7: 0x201,
      8: -1n & 0xffffffffffffffffn,
    });
  const comm = Buffer.from('dotnet\0\0');
  return new Map([
    [
      'core-100.img',
      Buffer.concat([
        image(MAGIC.core),
        message(Buffer.concat([integers({ 1: 1 }), bytesField(3, bytesField(13, comm))])),
      ]),
    ],
    [
      'files.img',
      Buffer.concat([
        image(MAGIC.files),
        message(
          Buffer.concat([
            integers({ 1: 1, 2: 1 }),
            bytesField(3, Buffer.concat([integers({ 1: 2, 2: 0, 3: 0 }), bytesField(6, Buffer.from('/app/App.dll'))])),
          ]),
        ),
      ]),
    ],
    ['inventory.img', Buffer.concat([image(MAGIC.inventory), message({ 1: 2, 2: 1 })])],
    [
      'mm-100.img',
      Buffer.concat([
        image(MAGIC.memory),
        message(
          Buffer.concat([
            integers({ 1: 0x400000, 2: 0x500000, 3: 0x600000, 4: 0x700000 }),
            ...[0, 1, 2].map((index) => bytesField(14, area(index))),
          ]),
        ),
      ]),
    ],
    [
      'pagemap-100.img',
      pagemap(
        1,
        areas.map((one, index) => present(addresses[index]!, one.length / PAGE)),
      ),
    ],
    ['pagemap-shmem-9.img', pagemap(2, [present(0, 1)])],
    ['pages-1.img', Buffer.concat(areas)],
    ['pages-2.img', noise(random, PAGE)],
    ['pipes-data.img', Buffer.concat([image(MAGIC.pipesData), message({ 1: 7, 2: 4 }), Buffer.from('abcd')])],
    ['pstree.img', Buffer.concat([image(MAGIC.processTree), message({ 1: 100, 2: 0, 3: 100, 4: 100, 5: 100 })])],
    ['sk-queues.img', Buffer.concat([image(MAGIC.socketQueues), message({ 1: 3, 2: 4 }), Buffer.from('abcd')])],
  ]);
}
