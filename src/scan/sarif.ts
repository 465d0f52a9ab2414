import type { Finding, ScanResult } from '../model/findings.ts';
import { KNOWN_RULES, RULES } from './rules.ts';
import { describe } from './text.ts';

const rules = [...KNOWN_RULES, ...RULES];

/**
 * The result as a SARIF 2.1.0 log with one run. Places are byte regions of files relative to the snapshot folder;
 * the log holds no value and no path of this machine.
 */
export function findingsToSarif(result: ScanResult, toolVersion: string): object {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'dotnet-snapshot',
            version: toolVersion,
            rules: rules.map(({ id, description, fix }) => ({
              id,
              shortDescription: { text: description },
              help: { text: fix },
              defaultConfiguration: { level: 'error' },
            })),
          },
        },
        originalUriBaseIds: { SNAPSHOT: { description: { text: 'The snapshot folder.' } } },
        results: result.findings.map(toResult),
      },
    ],
  };
}

function toResult(finding: Finding): object {
  const { ruleId, file, offset, encoding, length, count, pid, address } = finding;
  return {
    ruleId,
    ruleIndex: rules.findIndex((rule) => rule.id === ruleId),
    level: 'error',
    message: { text: `${describe(finding)}.` },
    occurrenceCount: count,
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: 'SNAPSHOT' },
          region: { byteOffset: offset, byteLength: encoding === 'utf-16le' ? 2 * length : length },
        },
      },
    ],
    properties: { encoding, length, ...(pid === undefined ? {} : { pid, address }) },
  };
}
