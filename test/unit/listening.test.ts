import { expect, test } from 'vitest';
import { misplaced, parseListeners } from '../../src/engine/listening.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (address: string, state = '0A') =>
  `   0: ${address} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000  1654        0 1234 1 0 100 0 0 10 0\n`;
const line6 = (address: string) => line(address).replace('00000000:0000 ', `${'0'.repeat(32)}:0000 `);
const ANY6 = '0'.repeat(32);
const LOOPBACK6 = `${'0'.repeat(24)}01000000`;
const MAPPED_LOOPBACK = `${'0'.repeat(16)}FFFF00000100007F`;

test('ports are listened on that the kernel’s tables say, of both families', () => {
  const tables = HEAD + line('00000000:1F90') + line('0100007F:1388') + line('0100007F:0050', '01') + HEAD;
  expect(
    parseListeners(tables + line6(`${ANY6}:1F91`) + line6(`${LOOPBACK6}:1388`) + line6(`${MAPPED_LOOPBACK}:2328`)).tcp,
  ).toEqual([
    { port: 5000, loopbackOnly: true },
    { port: 8080, loopbackOnly: false },
    { port: 8081, loopbackOnly: false },
    { port: 9000, loopbackOnly: true },
  ]);
});

test('a port that is reached by one family is reached', () => {
  expect(parseListeners(HEAD + line('0100007F:1F90') + HEAD + line6(`${ANY6}:1F90`)).tcp).toEqual([
    { port: 8080, loopbackOnly: false },
  ]);
});

test('Docker’s name server is nothing of the app', () => {
  expect(parseListeners(HEAD + line('0B00007F:9C40')).tcp).toEqual([]);
});

test.each([
  [[{ port: 8080, loopbackOnly: true }], /loopback address only/, /ASPNETCORE_URLS=http:\/\/\+:8080/],
  [[{ port: 5000, loopbackOnly: false }], /listens on 5000 and not on 8080/, /Set --port 5000\./],
  [
    [{ port: 5000, loopbackOnly: true }],
    /listens on 5000 of the container’s loopback .* not on 8080/,
    /http:\/\/\+:8080/,
  ],
  [
    [
      { port: 5000, loopbackOnly: true },
      { port: 9000, loopbackOnly: false },
      { port: 9001, loopbackOnly: false },
    ],
    /listens on 9000 and 9001 and not on 8080/,
    /--port to the port .*9000 or 9001/,
  ],
])('%j can’t be reached at 8080', (listening, cause, fix) => {
  expect(misplaced({ tcp: listening, unix: [] }, 8080)).toEqual({
    cause: expect.stringMatching(cause),
    fix: expect.stringMatching(fix),
  });
});

test.each([[[{ port: 8080, loopbackOnly: false }]], [[]]])('%j may still become reachable', (listening) => {
  expect(misplaced({ tcp: listening, unix: [] }, 8080)).toBeUndefined();
});

test('Unix sockets are told where nothing else is listened on, but for those of .NET’s diagnostics', () => {
  const tables = `Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 101 /tmp/dotnet-diagnostic-64-9-socket
0000000000000000: 00000002 00000000 00010000 0001 01   102 /tmp/shop.sock
0000000000000000: 00000003 00000000 00000000 0001 03 103 /tmp/client.sock
0000000000000000: 00000002 00000000 00010000 0001 01 104 @dotnet-snapshot
0000000000000000: 00000003 00000000 00000000 0001 03 105
`;
  const listeners = parseListeners(HEAD + tables);
  expect(listeners).toEqual({ tcp: [], unix: ['/tmp/shop.sock'] });
  expect(misplaced(listeners, 8080)?.cause).toContain('Unix socket /tmp/shop.sock alone');
  expect(misplaced({ ...listeners, tcp: [{ port: 8080, loopbackOnly: false }] }, 8080)).toBeUndefined();
});
