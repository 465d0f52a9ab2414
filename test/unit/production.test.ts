import { expect, test } from 'vitest';
import type { Answer } from '../../src/model/index.ts';
import { differences } from '../../src/verify/production.ts';

const answer = (exchange: string, text: string): Answer => ({
  ...{ exchange, iteration: 0, method: 'GET', path: `/${exchange}`, status: 200, headers: {}, micros: 1, unmet: [] },
  body: new TextEncoder().encode(text),
});
const cold = (...texts: string[]) => ({ ports: [8080], answers: texts.map((text) => [answer('get', text)]), log: '' });

test('equal ports and answers are no difference', () => {
  expect(differences(cold('a', 'a'), cold('a'), []).size).toBe(0);
});

test('what differs between two answers of the app itself may differ in a clone', () => {
  expect(differences(cold('id 1', 'id 2'), cold('id 3'), []).size).toBe(0);
});

test('another answer is told with both', () => {
  const found = differences(cold('production', 'production'), cold('build'), []);
  expect([...found]).toEqual([['get body', 'get (GET /get): body was production, is build']]);
});

test('a port that only one of them listens on is told', () => {
  const found = differences({ ...cold('a', 'a'), ports: [9090] }, { ...cold('a'), ports: [8080] }, []);
  expect([...found.keys()]).toEqual(['port 9090', 'port 8080']);
});

test('a port that the system hands out counts only where a setting names it', () => {
  const [app, clone] = [{ ...cold('a', 'a'), ports: [8080, 50_051] }, cold('a')];
  expect(differences(app, clone, ['http://*:8080']).size).toBe(0);
  expect([...differences(app, clone, ['http://*:50051']).keys()]).toEqual(['port 50051']);
});

test('a clone that does not answer is told', () => {
  const found = differences(cold('a', 'a'), { ports: [], answers: [], log: '' }, []);
  expect([...found.keys()]).toEqual(['port 8080', 'answers']);
});
