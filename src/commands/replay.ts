import { SnapshotError } from '../errors.ts';
import { formatMicros } from '../report/format.ts';
import { secretsOfTraffic } from '../scan/known/index.ts';
import { percentile } from '../statistics.ts';
import { parseTraffic } from '../traffic/parse.ts';
import { replay } from '../traffic/replay.ts';
import type { Command } from './command.ts';
import { parseFlags } from './flags.ts';

export const replayCommand: Command = {
  summary: 'replay recorded traffic against a running app',
  help: [
    'usage: dotnet-snapshot replay --traffic FILE --url http://HOST:PORT [--host NAME]',
    '',
    'Sends every request of the file and checks the answers against their expectations. Exit code 5 where one differs.',
    'The URL may begin with https:// (any certificate) or with h2c:// (HTTP/2 in the clear), too. --host is the Host of',
    'requests that name none.',
  ].join('\n'),
  async run(words, { redactor }) {
    const { values } = parseFlags(words, {
      traffic: { type: 'string' },
      url: { type: 'string' },
      host: { type: 'string' },
    });
    if (!values.traffic) throw new SnapshotError('DS1001', '--traffic is missing.');
    const url = URL.canParse(values.url ?? '') ? new URL(values.url!) : undefined;
    if (!url || !['http:', 'https:', 'h2c:'].includes(url.protocol))
      throw new SnapshotError('DS1001', '--url is missing, or no URL of http, https or h2c.');
    const traffic = await parseTraffic(values.traffic);
    redactor.add(secretsOfTraffic(traffic.exchanges));
    const { host } = values;
    const target = { origin: `${url.protocol}//${url.host}`, ...(host !== undefined && { host }) };
    const answers = await replay(traffic, target);
    const micros = answers.map((answer) => answer.micros);
    const failed = answers.filter((answer) => answer.unmet.length > 0);
    console.log(
      `${answers.length} requests, ${failed.length} not as expected, p50 ${formatMicros(percentile(micros, 0.5))}, p99 ${formatMicros(percentile(micros, 0.99))}`,
    );
    if (failed.length > 0)
      throw new SnapshotError('DS5001', `${failed.length} answers are not what the traffic file expects.`, {
        detail: failed
          .slice(0, 10)
          .map((answer) => `${answer.exchange} (${answer.method} ${answer.path}): ${answer.unmet.join('; ')}`)
          .join('\n'),
      });
    return 0;
  },
};
