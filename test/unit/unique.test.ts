import { describe, expect, it } from 'vitest';
import type { Answer, Exchange } from '../../src/model/index.ts';
import { generatedIn } from '../../src/verify/generated.ts';
import { compareClones, formatShared, type History, type UniqueValue } from '../../src/verify/unique.ts';

const [ONE, TWO, THREE, FOUR] = ['1b6f', '8c02', 'e97d', '45a3'].map((part) => part.repeat(8)) as string[];
const [UUID_1, UUID_2, UUID_3, UUID_4] = [ONE, TWO, THREE, FOUR].map((hex) =>
  hex!.replace(/^(.{8})(.{4}).(.{3})(.{4})(.{12}).*$/, '$1-$2-4$3-$4-$5'),
) as [string, string, string, string];
/** As ASP.NET Core's data protection makes it. */
const protectedText = (seed: string) => `CfDJ8${seed.repeat(4)}`;

type More = Partial<Pick<Answer, 'method' | 'iteration' | 'exchange' | 'path'>>;
const answer = (headers: Record<string, string>, body: string, more: More = {}): Answer => ({
  exchange: 'cart',
  iteration: 0,
  method: 'GET',
  path: '/cart',
  status: 200,
  headers,
  body: Buffer.from(body),
  micros: 1,
  unmet: [],
  ...more,
});
const cookie = (value: string, more?: More) => answer({ 'set-cookie': `id=${value}; path=/; httponly` }, '', more);
const html = (body: string, more?: More) => answer({ 'content-type': 'text/html; charset=utf-8' }, body, more);
const created = (json: unknown) =>
  answer({ 'content-type': 'application/json' }, JSON.stringify(json), { method: 'POST' });
const shown = (json: unknown, more?: More) =>
  answer({ 'content-type': 'application/json' }, JSON.stringify(json), more);

const history = (before: Answer[][] = [], request: Partial<Exchange> = {}): History => ({
  before,
  traffic: {
    file: 'traffic.yaml',
    digest: '',
    exchanges: [{ name: 'cart', method: 'GET', path: '/cart', headers: {}, repeat: 1, ...request }],
  },
});

/** What clones share whose companions made these values. */
const ofMade = (...clones: UniqueValue[][]) =>
  compareClones(
    clones.map((made) => ({ made, answered: [] })),
    history(),
  );
/** What clones share that gave these answers. */
const ofAnswers = (known: History, ...clones: Answer[][]) =>
  compareClones(
    clones.map((answers) => ({ made: [], answered: generatedIn(answers) })),
    known,
  );
const made = (...values: string[]): UniqueValue[] => values.map((value) => ({ source: 'Guid.NewGuid', value }));

describe('values that companions made', () => {
  it('are fine where all differ', () => {
    expect(ofMade(made('a', 'b'), made('c', 'd'))).toEqual({ valuesCompared: 4, shared: [] });
  });

  it('must differ between clones', () => {
    expect(ofMade(made('a'), made('b'), made('a')).shared).toEqual([{ what: 'Guid.NewGuid', clones: [1, 3] }]);
  });

  it('must differ within one clone', () => {
    expect(ofMade(made('a', 'a')).shared).toEqual([{ what: 'Guid.NewGuid', clones: [1] }]);
  });

  it('must differ wherever they stand in the list', () => {
    expect(ofMade(made('a', 'b'), made('c', 'a')).shared).toHaveLength(1);
  });

  it('must differ between sources', () => {
    const other = [{ source: 'Random.Shared', value: 'a' }];
    expect(ofMade(made('a'), other).shared).toEqual([{ what: 'Guid.NewGuid and Random.Shared', clones: [1, 2] }]);
  });
});

describe('cookies', () => {
  const before = [[cookie(THREE!)], [cookie(FOUR!)]];

  it('must differ where they did before', () => {
    expect(ofAnswers(history(before), [cookie(ONE!)], [cookie(ONE!)]).shared).toEqual([
      { what: 'cookie id of GET /cart', clones: [1, 2] },
    ]);
  });

  it('are counted where they do', () => {
    expect(ofAnswers(history(before), [cookie(ONE!)], [cookie(TWO!)])).toEqual({ valuesCompared: 2, shared: [] });
  });

  it('are not compared with anything where there is one clone', () => {
    expect(ofAnswers(history(before), [cookie(ONE!), cookie(ONE!)])).toEqual({ valuesCompared: 0, shared: [] });
  });

  it('may be equal where one answer from before has the value, in whatever place', () => {
    const seen = [[cookie(THREE!), html(`<b>${ONE}</b>`)], [cookie(FOUR!)]];
    expect(ofAnswers(history(seen), [cookie(ONE!)], [cookie(ONE!)])).toEqual({ valuesCompared: 0, shared: [] });
  });

  it('may be equal where an answer from before has the value as it stands, encoded', () => {
    const value = `${ONE}%2Fbasket`;
    const seen = [[cookie(THREE!), html(value)], [cookie(FOUR!)]];
    expect(ofAnswers(history(seen), [cookie(value)], [cookie(value)]).shared).toEqual([]);
  });

  it.each([
    ['path', { path: `/cart?id=${ONE}` }],
    ['headers', { headers: { 'x-id': ONE!.toUpperCase() } }],
    ['body', { body: `id=${ONE}` }],
    ['bytes', { body: Buffer.from(`id=${ONE}`) }],
  ])('may be equal where the traffic sends the value in its %s', (_part, request) => {
    expect(ofAnswers(history(before, request), [cookie(ONE!)], [cookie(ONE!)]).shared).toEqual([]);
  });

  it('may be equal where the traffic sends the value in another encoding', () => {
    const value = `${ONE}/basket`;
    const known = history(before, { body: `{"id":"${value}"}` });
    expect(ofAnswers(known, [cookie(encodeURIComponent(value))], [cookie(encodeURIComponent(value))]).shared).toEqual(
      [],
    );
  });

  it('may be equal where they count or tell the time', () => {
    const at = (minute: number) => cookie(`visited-2026-11-21T07:${minute}`);
    expect(ofAnswers(history([[at(30)], [at(31)]]), [at(32)], [at(32)]).shared).toEqual([]);
  });

  it('may be equal where nothing from before tells what they are', () => {
    expect(
      ofAnswers(history(), [cookie('culture-of-all-visitors')], [cookie('culture-of-all-visitors')]).shared,
    ).toEqual([]);
  });

  it('may be short', () => {
    const short = before.map(() => [cookie('a1b2c3d4')]);
    expect(generatedIn(short[0]!)).toEqual([]);
  });

  it('may be web tokens, which are equal in one second', () => {
    expect(generatedIn([cookie(`eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${ONE}`)])).toEqual([]);
  });

  it('are told apart where several come in one answer, dates and all', () => {
    const expires = 'expires=Sat, 21 Nov 2026 07:30:00 GMT';
    const several = answer({ 'set-cookie': `a=${ONE}; ${expires}; path=/, b="${TWO}"; ${expires}, c=${ONE},1` }, '');
    expect(generatedIn([several]).map(({ place, value }) => [place, value])).toEqual([
      ['cookie a of GET /cart', ONE],
      ['cookie b of GET /cart', TWO],
      ['cookie c of GET /cart', `${ONE},1`],
    ]);
  });

  it('of different exchanges are not compared', () => {
    const other = cookie(ONE!, { exchange: 'other', path: '/other' });
    expect(ofAnswers(history(before), [cookie(ONE!)], [other])).toEqual({ valuesCompared: 2, shared: [] });
  });

  it('are told once, for the first answer that has them', () => {
    const later = (value: string) => cookie(value, { exchange: 'later', path: '/later' });
    const known = history([
      [cookie(THREE!), later(THREE!)],
      [cookie(FOUR!), later(FOUR!)],
    ]);
    const clone = [cookie(ONE!), later(ONE!)];
    expect(ofAnswers(known, clone, clone).shared.map(({ what }) => what)).toEqual(['cookie id of GET /cart']);
  });
});

describe('protected values', () => {
  const token = protectedText(ONE!);

  it('must differ also where the snapshot comes from the cache', () => {
    expect(ofAnswers(history(), [cookie(token)], [cookie(token)]).shared).toHaveLength(1);
  });

  it('are found in JSON too', () => {
    expect(generatedIn([created({ accessToken: token })]).map(({ place }) => place)).toEqual([
      '$.accessToken of POST /cart',
    ]);
  });

  it('may be equal where they are from before', () => {
    const known = history([[cookie(token)], [cookie(token)]]);
    expect(ofAnswers(known, [cookie(token)], [cookie(token)]).shared).toEqual([]);
  });
});

describe('hidden fields', () => {
  const places = (body: string) => generatedIn([html(body)]).map(({ place }) => place);
  const long = `${ONE}${TWO}`;

  it('hold antiforgery tokens', () => {
    const field = `<form><input name="__RequestVerificationToken" type="hidden" value="${protectedText(ONE!)}" /></form>`;
    expect(places(field)).toEqual(['hidden field __RequestVerificationToken of GET /cart']);
    expect(ofAnswers(history(), [html(field)], [html(field)]).shared).toHaveLength(1);
  });

  it('hold long tokens under any name, however the tag is written', () => {
    expect(places(`<INPUT\n type=hidden VALUE='${long}' name=state>`)).toEqual(['hidden field state of GET /cart']);
    expect(places(`<input type="hidden" value="${long}">`)).toEqual(['hidden field without a name of GET /cart']);
  });

  it('hold short values that are no tokens', () => {
    expect(places(`<input type="hidden" name="sku" value="${ONE}">`)).toEqual([]);
    expect(places(`<input type="hidden" name="text" value="${'two words '.repeat(8)}">`)).toEqual([]);
  });

  it('are those that visitors do not see', () => {
    expect(places(`<input type="text" name="state" value="${long}">`)).toEqual([]);
  });

  it('are in HTML only', () => {
    expect(generatedIn([answer({ 'content-type': 'text/plain' }, `<input type="hidden" value="${long}">`)])).toEqual(
      [],
    );
  });
});

describe('identifiers', () => {
  const known = history([[created({ id: UUID_3 })], [created({ id: UUID_4 })]]);

  it('of what a POST made must differ', () => {
    expect(ofAnswers(known, [created({ id: UUID_1 })], [created({ id: UUID_1 })]).shared).toEqual([
      { what: '$.id of POST /cart', clones: [1, 2] },
    ]);
  });

  it('in headers must differ', () => {
    const stamped = (id: string) => answer({ 'x-request-id': id }, '', { method: 'POST' });
    const stamps = history([[stamped(UUID_3)], [stamped(UUID_4)]]);
    expect(ofAnswers(stamps, [stamped(UUID_1)], [stamped(UUID_1)]).shared).toEqual([
      { what: 'header x-request-id of POST /cart', clones: [1, 2] },
    ]);
  });

  it('that a GET shows anew each time must differ', () => {
    const twice = (...ids: string[]) => ids.map((id, iteration) => shown({ trace: { id } }, { iteration }));
    const each = history([twice(UUID_3, UUID_4), twice(UUID_4, UUID_3)]);
    expect(ofAnswers(each, twice(UUID_1, UUID_2), twice(UUID_1, UUID_2)).shared.map(({ what }) => what)).toEqual([
      '$.trace.id of GET /cart',
      '$.trace.id of GET /cart',
    ]);
  });

  it('that a GET shows once may be older than the answer', () => {
    expect(generatedIn([shown({ id: UUID_1 })])).toEqual([]);
  });

  it('that a GET shows may be of something made before the checkpoint that no answer had', () => {
    const newest = (id: string) => [shown({ id }), shown({ id }, { iteration: 1 })];
    const orders = history([newest(UUID_3), newest(UUID_4)]);
    expect(ofAnswers(orders, newest(UUID_1), newest(UUID_1)).shared).toEqual([]);
  });

  it('in lists may be of what another clone stored', () => {
    expect(generatedIn([created({ items: [{ id: UUID_1 }] })])).toEqual([]);
  });

  it('may count', () => {
    const nth = (n: number) => created({ id: `00000000-0000-0000-0000-${String(n).padStart(12, '0')}` });
    expect(ofAnswers(history([[nth(1)], [nth(2)]]), [nth(3)], [nth(3)]).shared).toEqual([]);
  });

  it('may be computed from a name', () => {
    expect(generatedIn([created({ id: UUID_1.replace(/-4/, '-5') })])).toEqual([]);
  });

  it('are whole values', () => {
    expect(generatedIn([created({ link: `/orders/${UUID_1}` })])).toEqual([]);
  });
});

describe('what is told of shared values', () => {
  it('is one line for each source and the clones that share it', () => {
    const shared = ofMade(made('a', 'b', 'c'), made('a', 'b', 'd', 'd'), made('c', 'b')).shared;
    expect(formatShared(shared)).toBe(
      [
        'Guid.NewGuid: clones 1 and 2',
        'Guid.NewGuid: clones 1, 2 and 3',
        'Guid.NewGuid: clones 1 and 3',
        'Guid.NewGuid: twice in clone 2',
      ].join('\n'),
    );
    expect(formatShared(ofMade(made('a', 'b'), made('a', 'b')).shared)).toBe('Guid.NewGuid: 2 values, clones 1 and 2');
  });

  it('has an end', () => {
    const shared = Array.from({ length: 3 }, (_, index) => ({ what: `source ${index}`, clones: [1, 2] }));
    expect(formatShared(shared, 2)).toBe('source 0: clones 1 and 2\nsource 1: clones 1 and 2\nand 1 more');
  });

  it('holds nothing that a terminal acts on', () => {
    expect(formatShared([{ what: 'cookie a\u001b[2J\nb', clones: [1, 2] }])).toBe('cookie a [2J b: clones 1 and 2');
  });
});
