/** A member of an archive; without content of `size`, only its header is written. */
export interface Member {
  name: string;
  content?: Buffer;
  /** Type flag: `0` a file, `5` a folder, `2` a symbolic link. */
  type?: string;
  link?: string;
  size?: number;
}

/** An archive in the ustar format; a size above 8 GiB is written in base 256, as GNU tar does. */
export function tar(members: readonly Member[]): Buffer {
  return Buffer.concat([
    ...members.flatMap(({ content = Buffer.alloc(0), ...head }) => [
      header({ size: content.length, ...head }),
      content,
      Buffer.alloc(-content.length & 511),
    ]),
    Buffer.alloc(1024),
  ]);
}

function header({ name, type = '0', link = '', size }: Omit<Member, 'content'> & { size: number }): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
  block.write(name, 0, 100, 'utf8');
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  if (size < 8 ** 11) octal(size, 124, 12);
  else {
    block.writeUInt8(0x80, 124);
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  octal(1_700_000_000, 136, 12);
  block.write(type, 156, 1, 'latin1');
  block.write(link, 157, 100, 'utf8');
  block.write('ustar\0', 257, 'latin1');
  block.write('00', 263, 'latin1');
  block.fill(' ', 148, 156);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
