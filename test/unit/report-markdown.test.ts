import { describe, expect, test } from 'vitest';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { sampleMeasurements, sampleReport } from './report-sample.ts';

const NOISY = [300, 310, 295, 420, 302, 299, 340, 305, 311, 298];

function headingOf(markdown: string): string {
  return markdown.split('\n').find((line) => line.startsWith('### ')) ?? '';
}

describe('headline', () => {
  test('tells a faster start with both times and the factor', () => {
    const measurements = sampleMeasurements([842, 841, 843, 842, 842], [61, 60, 62, 61, 61]);
    expect(headingOf(renderMarkdown(sampleReport({ measurements })))).toBe(
      '### `todo-api` starts in 61 ms instead of 842 ms: 13.8x faster.',
    );
  });

  test('tells a slower start as plainly, and what to do', () => {
    const measurements = sampleMeasurements([61, 60, 62, 61, 61], [842, 841, 843, 842, 842]);
    const markdown = renderMarkdown(sampleReport({ measurements }));
    expect(headingOf(markdown)).toBe('### `todo-api` starts in 842 ms instead of 61 ms: 13.8x slower.');
    expect(markdown).toContain('its own image is the better choice');
  });

  test('claims nothing when the pairs disagree', () => {
    const measurements = sampleMeasurements(
      NOISY,
      [...NOISY].reverse().map((value) => value - 3),
    );
    const heading = headingOf(renderMarkdown(sampleReport({ measurements })));
    expect(heading).toContain('no difference beyond the noise');
    expect(heading).not.toMatch(/faster|slower/);
  });

  test('claims nothing when medians and pairs point in opposite directions', () => {
    const measurements = sampleMeasurements([1, 2, 3, 4, 100], [2, 3, 4, 5, 0]);
    measurements.startupMs.restored.median = 2.9;
    expect(headingOf(renderMarkdown(sampleReport({ measurements })))).toContain('no difference');
  });

  test('does not dress up a sure but tiny difference as a factor', () => {
    const cold = [1000, 1001, 1002, 1003, 1004, 1005];
    const measurements = sampleMeasurements(
      cold,
      cold.map((value) => value - 2),
    );
    expect(headingOf(renderMarkdown(sampleReport({ measurements })))).toContain(': less than 1 % faster.');
  });
});

describe('caveats', () => {
  test('an ordinary report has none', () => {
    expect(renderMarkdown(sampleReport())).not.toContain('[!NOTE]');
  });

  test('a single pair is said to be too few', () => {
    const markdown = renderMarkdown(sampleReport({ measurements: sampleMeasurements([842], [61]) }));
    expect(markdown).toContain('Only one pair of starts was measured; it takes 5');
    expect(markdown).not.toContain('confidence');
  });

  test('a warmup that never settled is told in the open part', () => {
    const warmup = { ...sampleReport().warmup, steady: false };
    const [open] = renderMarkdown(sampleReport({ warmup })).split('<details>');
    expect(open).toContain('reached its limit of rounds');
  });

  test('a checkpoint without any traffic is told, and not as a warmup that never settled', () => {
    const warmup = { rounds: 0, requests: 0, methods: 812, steady: false, millis: 40 };
    const [open, details] = renderMarkdown(sampleReport({ warmup })).split('<summary>Snapshot');
    expect(open).toContain('The app was warmed by no traffic');
    expect(open).not.toContain('limit of rounds');
    expect(details).toContain('- Warmup: no traffic, checkpoint 40 ms after the app was ready, 812 methods compiled\n');
  });
});

test('the answers of the last round are told by status, and what keeps the traffic from the app', () => {
  const { warmup } = sampleReport();
  const caveat = '40 of 40 answers seem not to come from the app’s own code.';
  const report = renderMarkdown(sampleReport({ warmup: { ...warmup, statuses: { 200: 2, 307: 40 }, caveat } }));
  expect(report).toContain('- Answers: 2 × `200`, 40 × `307`\n');
  expect(report).toContain(caveat);
});

test('an app that is sent no requests has no row for them', () => {
  const { measurements, warmup } = sampleReport();
  const none = { n: 0, p50: 0, p99: 0 };
  const report = renderMarkdown(
    sampleReport({
      warmup: { ...warmup, rounds: 0 },
      measurements: { ...measurements, firstRequestsMicros: { cold: none, restored: none } },
    }),
  );
  expect(report).not.toMatch(/p50|no traffic: what its requests/);
});

describe('escaping', () => {
  const hostile = 'a|b`c`\n# <img src=x onerror=alert(1)> @octocat #1 </details> --> [x](javascript:y) \u202Ez';
  const report = sampleReport({
    name: hostile,
    app: { targetFramework: hostile, assembly: hostile, baseImage: hostile, image: hostile },
    snapshot: { ...sampleReport().snapshot, id: hostile, kernel: hostile, criuVersion: hostile },
    stages: [{ name: hostile, millis: 1 }],
    commit: hostile,
  });
  const measurements = sampleMeasurements(NOISY, NOISY);
  const baseline = sampleReport({ measurements, commit: '@a|`b', snapshot: { ...report.snapshot, kernel: '`|@x' } });
  const markdown = renderMarkdown(report, { marker: true, baseline });

  test('no tag, mention, reference or link of the app’s making is left outside code', () => {
    const outside = markdown
      .replace(/^<!--.*-->$/m, '')
      .replace(/<code>[^<`|]*<\/code>/g, '')
      .replace(/`[^`\n|]*`/g, '')
      .replace(/<\/?(details|summary)>/g, '');
    expect(outside).not.toMatch(/[<@`\u202E]|octocat|javascript/);
  });

  test('folded parts stay folded', () => {
    expect(markdown.match(/<\/details>/g)).toHaveLength(2);
  });

  test('every table row keeps its number of columns', () => {
    for (const table of markdown.split('\n\n').filter((block) => block.startsWith('|'))) {
      expect(new Set(table.split('\n').map((row) => row.split('|').length)).size).toBe(1);
    }
  });

  test.each(['a`b', 'a|b', 'a\\', '``', '`@octocat'])('%s stays one piece of code', (name) => {
    const heading = headingOf(renderMarkdown(sampleReport({ name })));
    expect(heading).toMatch(/^### <code>[^`|<\\@]+<\/code> starts/);
  });

  test('an ordinary name stays readable', () => {
    expect(renderMarkdown(sampleReport({ name: 'my_app.Web*2' }))).toContain('`my_app.Web*2` starts');
  });

  test('an overlong name is cut', () => {
    expect(renderMarkdown(sampleReport({ name: 'x'.repeat(50_000) })).length).toBeLessThan(10_000);
  });
});

describe('marker', () => {
  const markerOf = (name: string) => renderMarkdown(sampleReport({ name }), { marker: true }).split('\n')[0];

  test('is the first line, and only when asked for', () => {
    expect(markerOf('todo-api')).toBe('<!-- dotnet-snapshot:todo-api -->');
    expect(renderMarkdown(sampleReport())).not.toContain('<!--');
  });

  test('can’t be closed or continued by the name', () => {
    expect(markerOf('x --> <b>\n@you\uD800')).toMatch(/^<!-- dotnet-snapshot:[^\s<>]+ -->$/);
  });

  test('differs for names that look alike', () => {
    expect(new Set(['a/b', 'a-b', 'a b', 'A-b'].map(markerOf)).size).toBe(4);
  });
});

describe('against the base branch', () => {
  test('one line says how a baseline comes to be', () => {
    expect(renderMarkdown(sampleReport())).toContain('No baseline yet: once this has run on the base branch');
  });

  test('names what is worse and what is better first', () => {
    const base = sampleReport({ commit: 'fedcba9876543210' });
    const current = sampleReport({
      snapshot: { ...base.snapshot, bytes: base.snapshot.bytes * 0.5 },
      measurements: {
        ...base.measurements,
        memoryBytes: { cold: 1, restored: base.measurements.memoryBytes.restored * 2 },
      },
    });
    const markdown = renderMarkdown(current, { baseline: base });
    expect(markdown).toContain('#### Against the base branch at `fedcba987654`');
    expect(markdown).toContain('Worse: memory. Better: snapshot size. The rest is within noise.');
    expect(markdown).toContain('| Memory | 71.5 MiB | 143.0 MiB | +71.5 MiB (+100 %) | **worse** |');
    expect(markdown).not.toContain('the machine may be the reason');
  });

  test('says so when the cold start moved too, and names both kernels', () => {
    const base = sampleReport({ measurements: sampleMeasurements(NOISY, NOISY) });
    base.snapshot.kernel = '6.8.0';
    const markdown = renderMarkdown(sampleReport(), { baseline: base });
    expect(markdown).toContain('The base ran on kernel `6.8.0`, this on `6.12.48`.');
  });
});

describe('checks', () => {
  test('counts of scan and verification', () => {
    const markdown = renderMarkdown(sampleReport());
    expect(markdown).toContain(
      '0 findings. 28.4 MiB in 1,224 memory extents scanned with 41 rules and for 3 known secrets.',
    );
    expect(markdown).toContain('3 clones restored, 150 answers as expected, 0 of 96 values equal between clones.');
  });

  test('one clone is compared with nothing but itself', () => {
    const verify = { clones: 1, answersCompared: 50, valuesCompared: 32 };
    expect(renderMarkdown(sampleReport({ verify }))).toContain('0 of 32 values equal within it.');
  });

  test('a report of a version that compared no values tells of none', () => {
    const markdown = renderMarkdown(sampleReport({ verify: { clones: 3, answersCompared: 150 } }));
    expect(markdown).toContain('**Verification:** 3 clones restored, 150 answers as expected.');
  });

  test('findings stand out', () => {
    const scan = { ...sampleReport().scan, findings: 1 };
    expect(renderMarkdown(sampleReport({ scan }))).toContain('**1 finding**');
  });

  test('a verification that did not run is not called a success', () => {
    const markdown = renderMarkdown(sampleReport({ verify: { clones: 0, answersCompared: 0 } }));
    expect(markdown).toContain('**Verification:** not run.');
    expect(markdown).not.toContain('as expected');
  });
});

test('leaves out what the report does not know', () => {
  const { commit: _commit, ...known } = sampleReport();
  const { methods: _methods, ...warmup } = known.warmup;
  const markdown = renderMarkdown({ ...known, warmup, app: { baseImage: 'b', image: 'i' }, stages: [] });
  expect(markdown).not.toMatch(/undefined|NaN|Commit|methods compiled|Target framework|Stage \|/);
});

test('tells a snapshot from the cache', () => {
  const snapshot = { ...sampleReport().snapshot, fromCache: true };
  expect(renderMarkdown(sampleReport({ snapshot }))).toContain('from the cache');
});

test('shows the chart where there is one, whatever its path', () => {
  const markdown = renderMarkdown(sampleReport(), { svgPath: 'out dir/start(1).svg' });
  expect(markdown).toContain('](<out%20dir/start(1).svg>)');
});

test('an ordinary report is under 10 KB', () => {
  expect(Buffer.byteLength(renderMarkdown(sampleReport(), { baseline: sampleReport() }))).toBeLessThan(10_000);
});
