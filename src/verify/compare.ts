import type { Answer } from '../model/index.ts';
import { type BodyCheck, bodyCheck, type PartDifference } from './compare-body.ts';
import { groupBy, mapValues } from './group.ts';

/** A stable part of an answer that is not what it was before the restore. */
export interface Difference {
  /** Name of the exchange. */
  exchange: string;
  /** 0 for the first sending of the exchange. */
  iteration: number;
  method: string;
  /** Path as sent. */
  path: string;
  /** What differs: `status`, `content-type`, `location`, `body`, `body at $.items[0].title`, or `expectation`. */
  what: string;
  /** Printable, at most 120 characters. */
  expected: string;
  /** Printable, at most 120 characters. */
  actual: string;
}

/** What is stable in the answers to some traffic. */
export interface Reference {
  readonly exchanges: ReadonlyMap<string, ExchangeReference>;
}

interface ExchangeReference {
  /** Statuses seen, by iteration. */
  statuses: Map<number, Set<number>>;
  /** Checks by status, then by content type. */
  checks: Map<number, Map<string, { body: BodyCheck; location: BodyCheck }>>;
}

/**
 * Learns what is stable from two or more replays of the same traffic, taken before the checkpoint. Ids, times and
 * tokens show as what differs between them; all sendings of an exchange are learned from together, so repeats make the
 * reference surer.
 */
export function learnReference(first: Answer[], second: Answer[], ...more: Answer[][]): Reference {
  return learnWithControl([first, second, ...more], [[], []]);
}

/**
 * The same, with the answers of two processes that were started normally: what differs between them, such as the machine's
 * name, may differ after a restore, too.
 */
export function learnWithControl(replays: Answer[][], control: [Answer[], Answer[]]): Reference {
  const answers = replays.flat().filter(({ status }) => status !== 0);
  const byExchange = groupBy(answers, ({ exchange }) => exchange);
  const pairs = groupBy(pairsOf(control), ([{ exchange }]) => exchange);
  return { exchanges: mapValues(byExchange, (group, exchange) => learnExchange(group, pairs.get(exchange) ?? [])) };
}

/** The answers of two processes to the same requests, asked in the same order. */
function pairsOf([one, other]: [Answer[], Answer[]]): [Answer, Answer][] {
  return one.flatMap((answer, index) => {
    const same = other[index];
    const isPair = same?.exchange === answer.exchange && same.iteration === answer.iteration;
    return isPair && answer.status !== 0 && same.status === answer.status ? [[answer, same] as [Answer, Answer]] : [];
  });
}

function learnExchange(answers: Answer[], pairs: [Answer, Answer][]): ExchangeReference {
  const byIteration = groupBy(answers, ({ iteration }) => iteration);
  return {
    statuses: mapValues(byIteration, (group) => new Set(group.map(({ status }) => status))),
    checks: mapValues(
      groupBy(answers, ({ status }) => status),
      (sameStatus) =>
        mapValues(groupBy(sameStatus, contentTypeOf), (group, contentType) => {
          const ofKind = pairs.filter(
            (pair) => pair[0].status === group[0]!.status && pair.every((one) => contentTypeOf(one) === contentType),
          );
          const both = (partOf: (answer: Answer) => Uint8Array) =>
            ofKind.map(([a, b]) => [partOf(a), partOf(b)] as [Uint8Array, Uint8Array]);
          return {
            body: bodyCheck(
              group.map(({ body }) => body),
              contentType,
              both(({ body }) => body),
            ),
            location: bodyCheck(group.map(locationOf), 'text/plain', both(locationOf)),
          };
        }),
    ),
  };
}

/** What the restored app answers otherwise than before, in stable parts, and every unmet expectation. */
export function compareAnswers(reference: Reference, restored: Answer[]): Difference[] {
  return restored.flatMap((answer) => {
    const { exchange, iteration, method, path } = answer;
    const learned = reference.exchanges.get(exchange);
    const parts: (PartDifference & { what: string })[] = answer.unmet.map((sentence) => ({
      what: 'expectation',
      at: '',
      expected: 'as the traffic file says',
      actual: sentence,
    }));
    if (learned && answer.status !== 0) parts.push(...partsThatDiffer(learned, answer));
    return parts.map(({ what, at, expected, actual }) => ({
      exchange,
      iteration,
      method,
      path,
      what: at === '' ? what : `${what} at ${at}`,
      expected: printable(expected),
      actual: printable(actual),
    }));
  });
}

function partsThatDiffer(
  { statuses, checks }: ExchangeReference,
  answer: Answer,
): (PartDifference & { what: string })[] {
  const { status, iteration, body } = answer;
  const expectedStatuses = statuses.get(iteration);
  if (expectedStatuses && !expectedStatuses.has(status)) {
    const actual = `${status}: ${new TextDecoder().decode(body.subarray(0, 500))}`;
    // An unmet expectation already tells more.
    return answer.unmet.length > 0 ? [] : [{ what: 'status', at: '', expected: listed(expectedStatuses), actual }];
  }
  const byContentType = checks.get(status);
  if (!byContentType) return [];
  const contentType = contentTypeOf(answer);
  const check = byContentType.get(contentType);
  if (!check) {
    const expected = listed(byContentType.keys());
    return [{ what: 'content-type', at: '', expected, actual: contentType || 'none' }];
  }
  return [
    ...check.location(locationOf(answer)).map((part) => ({ what: 'location', ...part })),
    ...check.body(body).map((part) => ({ what: 'body', ...part })),
  ];
}

/** The differences for people: equal ones of one exchange on one line, at most `longest` lines. */
export function formatDifferences(differences: Difference[], longest = 20): string {
  const groups = [...groupBy(differences, ({ exchange, what }) => JSON.stringify([exchange, what])).values()];
  const lines = groups.slice(0, longest).map((group) => {
    const { exchange, method, path, what, expected, actual } = group[0]!;
    const request = `${method} ${path}`;
    const title = exchange === request ? request : `${exchange} (${request})`;
    const times = group.length > 1 ? ` (and in ${group.length - 1} more)` : '';
    return what === 'expectation'
      ? `${title}: ${actual}${times}`
      : `${title}: ${what} was ${expected}, is ${actual}${times}`;
  });
  if (groups.length > longest) lines.push(`and ${groups.length - longest} more`);
  return lines.join('\n');
}

function contentTypeOf({ headers }: Answer): string {
  return headers['content-type'] ?? '';
}

function locationOf({ headers }: Answer): Uint8Array {
  return new TextEncoder().encode(headers.location ?? '');
}

function listed(values: Iterable<string | number>): string {
  return Array.from(values, (value) => String(value) || 'none').join(' or ');
}

/** The text on one line, without what a terminal would act on, at most 120 characters. */
export function printable(text: string): string {
  const characters = [
    ...text
      .slice(0, 500)
      .replace(/[\p{C}\s]+/gu, ' ')
      .trim(),
  ];
  return characters.length > 120 ? `${characters.slice(0, 119).join('')}…` : characters.join('');
}
