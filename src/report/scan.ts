import type { Report } from '../model/index.ts';
import { markdownCode } from './escape.ts';
import { formatBytes, formatCounted } from './format.ts';

/** What the secrets gate says, for the list of checks: the verdict first, then what it rests on. */
export function renderScan(scan: Report['scan']): string {
  const { findings, allowed = 0, bytes, extents, rules, knownSecrets, canaries } = scan;
  if (scan.verdict === 'off') return '**not looked for**; `scan` is `off`';
  const found = formatCounted(findings, 'finding');
  const known =
    knownSecrets === 0 ? '; no known secrets were given' : ` and for ${formatCounted(knownSecrets, 'known secret')}`;
  return [
    findings === 0 ? found : `**${found}**`,
    ...(allowed > 0 ? [`, ${allowed} allowed`] : []),
    `. ${formatBytes(bytes)} in ${formatCounted(extents, 'memory extent')} scanned with ${formatCounted(rules, 'rule')}${known}`,
    ...(canaries ? [`; ${canaries.found} of ${canaries.planted} planted test values were found`] : []),
  ].join('');
}

/** What a reader must see before all else: a snapshot that holds secrets, or that nobody has looked into. */
export function renderScanAlert({ verdict, findings }: Report['scan']): string[] {
  if (verdict === 'off')
    return [
      alert(
        'Nobody has looked for secrets in this snapshot: `scan` is `off`. It holds the memory of the app; treat it as secret itself.',
      ),
    ];
  if (findings === 0) return [];
  return [
    alert(
      `**The snapshot holds secrets** (${formatCounted(findings, 'finding')}), and \`scan\` is \`warn\`: whoever can read the snapshot or the image can read them. The log and \`scan.sarif\` say which, and what to do.`,
    ),
  ];
}

/** Private keys that no search of the snapshot can find, and what to do about each. */
export function renderKeys(keys: readonly string[]): string[] {
  if (keys.length === 0) return [];
  const lines = keys.map((line) => `> - ${markdownCode(line)}`).join('\n');
  return [
    `> [!WARNING]\n> The app held private keys at its checkpoint. They are in the snapshot and in the image:\n>\n${lines}`,
  ];
}

function alert(text: string): string {
  return `> [!CAUTION]\n> ${text}`;
}
