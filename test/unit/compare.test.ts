import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/model/index.ts';
import {
  compareAnswers,
  type Difference,
  formatDifferences,
  learnReference,
  learnWithControl,
} from '../../src/verify/compare.ts';

type Body = string | Uint8Array | object | null;

/** One answer of exchange `get`; what is no text or bytes is sent as JSON. */
function answer(body: Body, more: Partial<Answer> = {}): Answer {
  const isRaw = typeof body === 'string' || body instanceof Uint8Array;
  const content = isRaw ? body : JSON.stringify(body);
  return {
    exchange: 'get',
    iteration: 0,
    method: 'GET',
    path: '/todos',
    status: 200,
    headers: { 'content-type': isRaw ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8' },
    body: typeof content === 'string' ? Buffer.from(content) : content,
    micros: 1,
    unmet: [],
    ...more,
  };
}

/** Differences as `what: expected -> actual`. */
function compare(first: Body, second: Body, restored: Body): string[] {
  return shown(compareAnswers(learnReference([answer(first)], [answer(second)]), [answer(restored)]));
}

const shown = (differences: Difference[]) =>
  differences.map(({ what, expected, actual }) => `${what}: ${expected} -> ${actual}`);

/** The answers of a repeated exchange. */
const repeated = (...bodies: Body[]) => bodies.map((body, iteration) => answer(body, { iteration }));

describe('JSON', () => {
  it('lets vary what varied and holds the rest', () => {
    const todo = (id: number, at: string, title: string) => ({ id, at, title, tags: ['a', 'b'] });
    const first = todo(1, '10:00', 'milk');
    const second = todo(2, '10:01', 'milk');
    expect(compare(first, second, todo(3, '10:02', 'milk'))).toEqual([]);
    expect(compare(first, second, todo(3, '10:02', 'bread'))).toEqual(['body at $.title: "milk" -> "bread"']);
  });

  it('holds the type of what varied', () => {
    expect(compare({ id: 1 }, { id: 2 }, { id: '3' })).toEqual(['body at $.id: number -> "3"']);
    expect(compare({ id: 1 }, { id: 2 }, { id: null })).toEqual(['body at $.id: number -> null']);
    expect(compare({ due: null }, { due: 'today' }, { due: 'tomorrow' })).toEqual([]);
  });

  it('holds booleans, null and numbers', () => {
    const same = { a: true, b: null, c: 0.5 };
    expect(compare(same, same, { a: false, b: 1, c: 0.25 })).toEqual([
      'body at $.a: true -> false',
      'body at $.b: null -> 1',
      'body at $.c: 0.5 -> 0.25',
    ]);
  });

  it('wants members that were always there, and no new ones', () => {
    const same = { id: 1, 'the key': 2 };
    expect(compare(same, same, { id: 1 })).toEqual(['body at $["the key"]: 2 -> missing']);
    expect(compare(same, same, { ...same, error: 'x' })).toEqual(['body at $.error: nothing -> "x"']);
  });

  it('lets members come and go where they did', () => {
    expect(compare({ a: 1 }, { a: 1, b: 2 }, { a: 1, c: 3 })).toEqual([]);
    expect(compare({ 'id-1': 1 }, { 'id-2': 1 }, { 'id-3': 1 })).toEqual([]);
    expect(compare({ a: 1 }, { a: 1, b: 2 }, { b: 2 })).toEqual(['body at $.a: 1 -> missing']);
  });

  it('compares the elements of a list that grows with all elements seen', () => {
    const list = (...ids: number[]) => ids.map((id) => ({ id, by: 'ann' }));
    expect(compare(list(1), list(1, 2), list(1, 2, 3))).toEqual([]);
    expect(compare(list(1), list(1, 2), [...list(1, 2), { id: 3, by: 'bob' }])).toEqual([
      'body at $[2].by: "ann" -> "bob"',
    ]);
  });

  it('learns no value from a single sighting', () => {
    expect(compare({ items: [] }, { items: [{ id: 1 }] }, { items: [{ id: 2 }, { id: 3 }] })).toEqual([]);
    expect(compare({ items: [] }, { items: [{ id: 1 }] }, { items: [{ name: 'x' }] })).toEqual([
      'body at $.items[0].id: number -> missing',
      'body at $.items[0].name: nothing -> "x"',
    ]);
  });

  it('holds the length of a list that kept it', () => {
    expect(compare([1, 2], [1, 2], [1, 2, 3])).toEqual(['body at $: a list of 2 -> a list of 3']);
    expect(compare([1, 2], [1, 2], [1, 3])).toEqual(['body at $[1]: 2 -> 3']);
  });

  it('does not take chance for stability: what varies in one element varies in all', () => {
    const forecast = (...summaries: string[]) => summaries.map((summary) => ({ day: 'Mon', summary }));
    const first = forecast('Cool', 'Mild', 'Warm');
    const second = forecast('Cool', 'Hot', 'Warm');
    expect(compare(first, second, forecast('Icy', 'Icy', 'Icy'))).toEqual([]);
    expect(compare(first, second, [...forecast('Icy', 'Icy'), { day: 'Tue', summary: 'Icy' }])).toEqual([
      'body at $[2].day: "Mon" -> "Tue"',
    ]);
  });

  it('lets an optional object of one element be absent from another', () => {
    const first = [{ owner: { name: 'a' } }, { owner: null }];
    const second = [{ owner: { name: 'a' } }, { owner: { name: 'a' } }];
    expect(compare(first, second, [{ owner: null }, { owner: null }])).toEqual([]);
  });

  it('learns from all repeats: what varied in one varies in all', () => {
    const reference = learnReference(repeated({ coin: 0 }, { coin: 0 }), repeated({ coin: 0 }, { coin: 1 }));
    expect(compareAnswers(reference, repeated({ coin: 1 }, { coin: 1 }))).toEqual([]);
  });

  it('learns from more than two replays', () => {
    const reference = learnReference([answer({ a: 1 })], [answer({ a: 1 })], [answer({ a: 2 })]);
    expect(compareAnswers(reference, [answer({ a: 3 })])).toEqual([]);
  });

  it('notices a body that is JSON no longer', () => {
    const reference = learnReference([answer({ a: 1 })], [answer({ a: 1 })]);
    const broken = { ...answer({ a: 1 }), body: Buffer.from('{"a":') };
    expect(shown(compareAnswers(reference, [broken]))).toEqual(['body: JSON -> {"a":']);
  });

  it('is not misled by a member called __proto__', () => {
    const parsed = (json: string) => JSON.parse(json) as object;
    expect(compare(parsed('{"__proto__":1}'), parsed('{"__proto__":1}'), parsed('{"__proto__":2}'))).toEqual([
      'body at $.__proto__: 1 -> 2',
    ]);
    expect(compare({ toString: 1 }, { toString: 1 }, {})).toEqual(['body at $.toString: 1 -> missing']);
  });
});

describe('text', () => {
  const page = (token: string, title: string) => `<h1>${title}</h1>\n<input value="${token}">`;

  it('lets the words vary that varied and holds the rest', () => {
    const [first, second] = [page('CfDJ8-x_1', 'Todos'), page('CfDJ8yy', 'Todos')];
    expect(compare(first, second, page('CfDJ8_zz-zz', 'Todos'))).toEqual([]);
    expect(compare(first, second, page('CfDJ8_zz-zz', 'Error'))).toEqual([
      'body: <h1>Todos</h1> <input value="*"> -> <h1>Error</h1> <input value="CfDJ8_zz-zz">',
    ]);
  });

  it('notices words that are missing or too many', () => {
    expect(compare('a b', 'a b', 'a')).toEqual(['body: a b -> a']);
    expect(compare('a', 'a', 'a b')).toEqual(['body: a -> a b']);
    expect(compare('', '', 'a')).toEqual(['body: nothing -> a']);
  });

  it('does not take chance for stability among the cells of a table', () => {
    const table = (...cells: string[]) => cells.map((cell) => `<td>${cell}</td>`).join('');
    expect(compare(table('Cool', 'Mild'), table('Cool', 'Hot'), table('Icy', 'Icy'))).toEqual([]);
  });

  it('compares only the length where the number of words varied', () => {
    expect(compare('a b c', 'a b c d', 'x y')).toEqual([]);
    expect(compare('a b c', 'a b c d', 'x'.repeat(1000))).toEqual(['body: about 5 to 7 bytes -> 1000 bytes']);
    expect(compare('a b c', 'a b c d', '')).toEqual(['body: about 5 to 7 bytes -> 0 bytes']);
  });
});

describe('binary', () => {
  const image = (...bytes: number[]) => answer(Uint8Array.from(bytes), { headers: { 'content-type': 'image/png' } });

  it('must be the same where it was', () => {
    const reference = learnReference([image(1, 2)], [image(1, 2)]);
    expect(compareAnswers(reference, [image(1, 2)])).toEqual([]);
    expect(shown(compareAnswers(reference, [image(1, 3)]))[0]).toMatch(/^body: 2 bytes, sha256:.* -> 2 bytes, sha256:/);
  });

  it('may be anything of like size where it varied', () => {
    expect(compareAnswers(learnReference([image(1, 2)], [image(1, 3)]), [image(1, 4, 5)])).toEqual([]);
  });
});

describe('status and headers', () => {
  const failed = answer({ title: 'broken' }, { status: 500 });

  it('holds a status that was stable, and shows the body that came with another', () => {
    const reference = learnReference([answer({ a: 1 })], [answer({ a: 1 })]);
    expect(shown(compareAnswers(reference, [failed]))).toEqual(['status: 200 -> 500: {"title":"broken"}']);
  });

  it('takes any status that was seen in that place, each with its own body', () => {
    const made = answer({ id: 1 }, { status: 201 });
    const conflict = answer({ title: 'exists' }, { status: 409 });
    const reference = learnReference([made], [conflict]);
    expect(compareAnswers(reference, [conflict])).toEqual([]);
    expect(shown(compareAnswers(reference, [failed]))).toEqual(['status: 201 or 409 -> 500: {"title":"broken"}']);
  });

  it('knows the status of each repeat', () => {
    const [made, conflict] = [answer({}, { status: 201 }), answer({}, { status: 409, iteration: 1 })];
    const reference = learnReference([made, conflict], [made, conflict]);
    const swapped = [{ ...made, iteration: 1 }];
    expect(shown(compareAnswers(reference, swapped))).toEqual(['status: 409 -> 201: {}']);
  });

  it('holds the content type', () => {
    const reference = learnReference([answer({ a: 1 })], [answer({ a: 1 })]);
    expect(shown(compareAnswers(reference, [answer('<h1>')]))).toEqual([
      'content-type: application/json; charset=utf-8 -> text/html; charset=utf-8',
    ]);
  });

  it('holds where a redirect leads', () => {
    const redirect = (location: string) => answer('', { status: 302, headers: { location } });
    const reference = learnReference([redirect('/home')], [redirect('/home')]);
    expect(shown(compareAnswers(reference, [redirect('/login')]))).toEqual(['location: /home -> /login']);
    const varied = learnReference([redirect('/todos/1')], [redirect('/todos/2')]);
    expect(compareAnswers(varied, [redirect('/todos/3')])).toEqual([]);
  });
});

describe('answers', () => {
  it('reports every unmet expectation, once', () => {
    const reference = learnReference([answer({ a: 1 })], [answer({ a: 1 })]);
    const restored = answer({}, { status: 500, unmet: ['status is 500, expected 200', 'body does not contain "a"'] });
    expect(compareAnswers(reference, [restored]).map(({ what, actual }) => `${what}: ${actual}`)).toEqual([
      'expectation: status is 500, expected 200',
      'expectation: body does not contain "a"',
    ]);
  });

  it('says where a difference is', () => {
    const reference = learnReference([answer({ a: 1 })], [answer({ a: 1 })]);
    expect(compareAnswers(reference, [answer({ a: 2 })])).toEqual([
      { exchange: 'get', iteration: 0, method: 'GET', path: '/todos', what: 'body at $.a', expected: '1', actual: '2' },
    ]);
  });

  it('expects nothing of what was never learned', () => {
    const reference = learnReference([answer({ a: 1 })], [answer({ a: 1 })]);
    expect(compareAnswers(reference, [answer({ a: 2 }, { exchange: 'other' })])).toEqual([]);
    const silent = answer('', { status: 0, headers: {}, unmet: ['no answer: ECONNREFUSED'] });
    expect(compareAnswers(learnReference([silent], [silent]), [answer({ a: 1 })])).toEqual([]);
  });

  it('keeps what it shows printable and short', () => {
    const reference = learnReference([answer({ a: 'x'.repeat(500) })], [answer({ a: 'x'.repeat(500) })]);
    const [difference] = compareAnswers(reference, [answer({ a: '\u202E\u0085y' })]);
    expect(difference!.expected).toHaveLength(120);
    expect(difference!.actual).toBe('" y"');
  });

  it('is told to people in one line for each thing that differs', () => {
    const reference = learnReference(repeated({ a: 1 }, { a: 1 }, { a: 1 }), repeated({ a: 1 }, { a: 1 }, { a: 1 }));
    const restored = repeated({ a: 2 }, { a: 2 }, { a: 2 });
    restored[0]!.unmet = ['body does not contain "1"'];
    const differences = compareAnswers(reference, restored);
    expect(formatDifferences(differences)).toBe(
      'get (GET /todos): body does not contain "1"\nget (GET /todos): body at $.a was 1, is 2 (and in 2 more)',
    );
    expect(formatDifferences(differences, 1)).toBe('get (GET /todos): body does not contain "1"\nand 1 more');
  });
});

describe('what two normal starts have differently', () => {
  const withControl = (before: Body, one: Body, other: Body, restored: Body) =>
    shown(
      compareAnswers(learnWithControl([[answer(before)], [answer(before)]], [[answer(one)], [answer(other)]]), [
        answer(restored),
      ]),
    );
  const machine = (host: string, items = 3) => ({ host, items, links: [{ href: `http://${host}/` }] });

  it('may differ in JSON, and nothing else may', () => {
    const normal = [machine('b', 0), machine('c', 0)] as const;
    expect(withControl(machine('a'), ...normal, machine('d'))).toEqual([]);
    // Equal in both normal starts: the restored app has lost what the warmed one had.
    expect(withControl(machine('a'), ...normal, machine('d', 0))).toEqual(['body at $.items: 3 -> 0']);
  });

  it('may differ in text, and nothing else may', () => {
    const page = (host: string, text = 'three items') => `<p>${text}</p> <footer>served by ${host}</footer>`;
    expect(withControl(page('a'), page('b'), page('c'), page('d'))).toEqual([]);
    expect(withControl(page('a'), page('b'), page('c'), page('d', 'no items'))).toHaveLength(1);
  });

  it('is no reason for what is equal in them to differ', () => {
    expect(withControl(machine('a'), machine('b'), machine('b'), machine('d'))).toHaveLength(2);
  });
});
