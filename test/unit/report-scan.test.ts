import { expect, test } from 'vitest';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { reportSchema } from '../../src/store/report-schema.ts';
import { sampleReport } from './report-sample.ts';

const scan = { findings: 0, bytes: 28_400_000, extents: 1224, rules: 255, knownSecrets: 3, millis: 640 };
const markdownOf = (changes: object) =>
  renderMarkdown(reportSchema.parse(sampleReport({ scan: { ...scan, ...changes } })));

test('a clean scan is one line that says what it rests on', () => {
  const markdown = markdownOf({ verdict: 'clean', allowed: 2, canaries: { planted: 9, found: 9 } });
  expect(markdown).toMatch(
    /- \*\*Secrets in the snapshot:\*\* 0 findings, 2 allowed\. .* scanned with 255 rules and for 3 known secrets; 9 of 9 planted test values were found\./,
  );
  expect(markdown).not.toContain('[!CAUTION]');
});

test('findings that stopped nothing are told before anything else', () => {
  const [headline, alert] = markdownOf({ verdict: 'findings', findings: 3 }).split('\n\n');
  expect(headline).toMatch(/^### /);
  expect(alert).toMatch(/^> \[!CAUTION\]\n> \*\*The snapshot holds secrets\*\* \(3 findings\)/);
});

test('so is it that nobody has looked', () => {
  const markdown = markdownOf({ verdict: 'off' });
  expect(markdown.split('\n\n')[1]).toMatch(/^> \[!CAUTION\]\n> Nobody has looked for secrets/);
  expect(markdown).toContain('- **Secrets in the snapshot:** **not looked for**; `scan` is `off`.');
});

test('a report of an earlier version has no verdict', () => {
  expect(markdownOf({})).toContain('- **Secrets in the snapshot:** 0 findings. ');
});
