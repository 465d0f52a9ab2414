import { expect, test } from 'vitest';
import { describeStatuses, unreached } from '../../src/warmup/statuses.ts';

const answers = (count: number, status: number, location?: string, path = '/todos') =>
  Array.from({ length: count }, () => ({ status, path, headers: location === undefined ? {} : { location } }));

test('answers are told by status', () => {
  expect(describeStatuses([...answers(38, 200), ...answers(2, 404)])).toBe('40 answers: 38 x 200, 2 x 404');
});

test.each<[string, ReturnType<typeof answers>, RegExp]>([
  ['HTTPS redirection', answers(40, 307, 'https://localhost/todos'), /^40 of 40 .*redirect to HTTPS.*forwarded/],
  ['authorization', [...answers(9, 401), ...answers(9, 403), ...answers(2, 200)], /^18 of 20 .*\(401, 403\).*log in/],
  ['routing', answers(3, 404), /^3 of 3 .*\(400, 404, 405\).*paths/],
])('traffic that %s answers does not reach the app', (_by, given, told) => {
  expect(unreached(given)).toMatch(told);
});

test.each<[string, ReturnType<typeof answers>]>([
  ['most of which the app answers', [...answers(11, 200), ...answers(10, 404)]],
  ['that the app redirects to another path', answers(5, 302, '/login')],
  ['that the app redirects to another path of another host', answers(5, 302, 'https://login.example/authorize')],
  ['of no requests', []],
])('nothing is said of traffic %s', (_what, given) => {
  expect(unreached(given)).toBeUndefined();
});
