import { createHash } from 'node:crypto';
import type { AllowedFinding, Finding, ScanResult } from '../../model/findings.ts';
import { describeAllowance, describeFinding } from './describe.ts';

/**
 * The result as a SARIF 2.1.0 log with one run. Places are byte regions of files relative to what was scanned; what is
 * allowed is in it as suppressed. The log holds no value and no path of this machine.
 */
export function findingsToSarif(result: ScanResult, toolVersion: string): object {
  const all: (Finding | AllowedFinding)[] = [...result.findings, ...result.allowed];
  const ruleIds = [...new Set(all.map(({ ruleId }) => ruleId))];
  const { files, bytes, extents, rules, knownSecrets, canaries } = result;
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'dotnet-snapshot',
            version: toolVersion,
            rules: ruleIds.map((id) => describeRule(id, all.find(({ ruleId }) => ruleId === id)!)),
          },
        },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: { SNAPSHOT: { description: { text: 'What was scanned.' } } },
        invocations: [
          {
            executionSuccessful: true,
            toolConfigurationNotifications: result.notes.map((text) => ({ level: 'note', message: { text } })),
          },
        ],
        results: all.map((finding) => toResult(finding, ruleIds.indexOf(finding.ruleId), result.keyId !== undefined)),
        properties: { files, bytes, extents, rules, knownSecrets, canaries },
      },
    ],
  };
}

function describeRule(id: string, { description, fix }: Finding): object {
  const text = id === 'known-value' ? 'Secret value that the build knows' : description;
  return {
    id,
    shortDescription: { text },
    fullDescription: { text: `${text}, in a snapshot of a process.` },
    help: { text: fix },
    defaultConfiguration: { level: 'error' },
    // GitHub sorts alerts by it.
    properties: { tags: ['security', 'secret'], 'security-severity': '8.0' },
  };
}

function toResult(finding: Finding | AllowedFinding, ruleIndex: number, keyed: boolean): object {
  const { ruleId, file, offset, bytes, encoding, length, count, hash, fix } = finding;
  const { pid, process, mapping, mappedFile, age, address } = finding;
  const absolute = address === undefined ? Number.NaN : Number(address);
  return {
    ruleId,
    ruleIndex,
    level: 'error',
    message: { text: `${describeFinding(finding)}. ${fix}` },
    occurrenceCount: count,
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: file.split('/').map(encodeURIComponent).join('/'), uriBaseId: 'SNAPSHOT' },
          // GitHub takes no region without a line; in what has no lines, all is the first.
          region: { startLine: 1, byteOffset: offset, byteLength: bytes },
          ...(Number.isSafeInteger(absolute) && { address: { absoluteAddress: absolute, kind: 'data' } }),
        },
        ...(pid !== undefined && {
          logicalLocations: [{ name: `${process ?? 'process'} (pid ${pid}), ${mapping}`, kind: 'memory' }],
        }),
      },
    ],
    partialFingerprints: {
      'sighting/v1': digest(ruleId, finding.description, encoding, mapping, process ?? '', `${length}`),
      // Under a random key it would be another one each time.
      ...(keyed && { 'value/v1': hash }),
    },
    ...('by' in finding && {
      suppressions: [{ kind: 'external', status: 'accepted', justification: describeAllowance(finding) }],
    }),
    properties: {
      ...{ encoding, length, hash, mapping },
      ...(mappedFile !== undefined && { mappedFile }),
      ...(age !== undefined && { age }),
      ...(pid !== undefined && { pid }),
      ...(address !== undefined && { address }),
    },
  };
}

function digest(...parts: string[]): string {
  return createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 32);
}
