import { z } from 'zod';
import { finderOf, SOURCE_FORMS } from './capture.ts';
import { CAPTURE_NAME, withoutPlaceholders } from './template.ts';

// The message of each rule is what was expected; parse.ts puts the place and the value found before it.
const MAX_REPEAT = 100_000;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const CONTROL_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}]/u;

const text = (expected: string) => z.string(expected);
const nonEmpty = (expected: string) => text(expected).min(1, expected);
const headerName = nonEmpty('a header name').regex(HEADER_NAME, 'a header name');

const headers = (expectedValue: string) =>
  z.record(
    headerName,
    text(expectedValue).refine((value) => !CONTROL_CHARACTERS.test(value), 'text on one line'),
    'a map of header names to values',
  );

const captureSource = text(SOURCE_FORMS).superRefine((source, context) => {
  try {
    finderOf(source);
  } catch (error) {
    context.addIssue((error as Error).message);
  }
});

const QUOTED = 'text; put a number in quotes';
const BODY_TEXT = 'text, or a list of texts; put a number in quotes';
const PATH = 'a path that begins with / or a {{capture}}, with spaces, # and non-ASCII characters percent-encoded';
const REPEAT = 'a whole number of at least 1';
const STATUS = 'an HTTP status from 100 to 599';

const expectSchema = z.strictObject(
  {
    status: z
      .int(STATUS)
      .min(100, STATUS)
      .max(599, STATUS)
      .optional()
      .describe('The status that the answer must have.'),
    bodyContains: z
      .union([nonEmpty(BODY_TEXT), z.array(nonEmpty(QUOTED), BODY_TEXT).min(1, BODY_TEXT)], BODY_TEXT)
      .optional()
      .describe('Text, or a list of texts, that the body must contain. May hold {{captures}}.'),
    headers: headers(QUOTED)
      .optional()
      .describe('Each named header must contain the value; case does not count. May hold {{captures}}.'),
  },
  'a map of status, bodyContains and headers',
);

const requestSchema = z.strictObject(
  {
    name: nonEmpty('text')
      .max(200, 'at most 200 characters')
      .refine((name) => !CONTROL_CHARACTERS.test(name), 'text on one line')
      .optional()
      .describe('Shown in messages; unique in the file. Method and path where absent.'),
    method: nonEmpty('an HTTP method in upper case, such as GET')
      .regex(/^[A-Z]+$/, 'an HTTP method in upper case, such as GET')
      .default('GET')
      .describe('HTTP method.'),
    path: text(PATH)
      .regex(/^(\/|\{\{)/, PATH)
      .refine((path) => /^[!"$-~]*$/.test(withoutPlaceholders(path)), PATH)
      .describe('Path and query. May hold {{captures}}.'),
    headers: headers(QUOTED).default({}).describe('Headers to send. Values may hold {{captures}}.'),
    json: z
      .unknown()
      .refine((value) => value === undefined || jsonOf(value) !== undefined, 'a value that JSON can hold')
      .optional()
      .describe('Body, sent as JSON with content-type application/json unless headers say otherwise.'),
    body: text('text').optional().describe('Body as text. May hold {{captures}}.'),
    bodyFile: nonEmpty('a file name')
      .optional()
      .describe('File to send as the body, byte for byte; relative to the traffic file and inside its folder.'),
    repeat: z
      .int(REPEAT)
      .min(1, REPEAT)
      .max(MAX_REPEAT, `a whole number of at most ${MAX_REPEAT}`)
      .default(1)
      .describe('How many times in a row it is sent.'),
    expect: expectSchema.optional().describe('What the answer must look like.'),
    capture: z
      .record(
        z.string().regex(CAPTURE_NAME, 'a name of letters, digits, _ and -, not beginning with a digit or -'),
        captureSource,
        'a map of names to sources',
      )
      .optional()
      .describe('Values for {{name}} in later requests: $.json.path, header:Name or regex:pattern with one (group).'),
  },
  'a map with at least a path',
);

const trafficSchema = z
  .strictObject(
    {
      version: z.literal(1, '1, the only version there is').describe('Version of the format.'),
      requests: z.array(requestSchema, 'a list of requests').min(1, 'at least one request'),
    },
    'a map of version and requests',
  )
  .describe('Traffic that dotnet-snapshot replays against an app.');

/** One request of a traffic file, defaults filled in. */
export type TrafficRequest = z.output<typeof requestSchema>;

/** The rules of the whole file and of one request. */
export { requestSchema, trafficSchema };

/** Keys that are known at a place in the file: its top, a request, or a request's `expect`. */
export function keysAt(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) return Object.keys(trafficSchema.shape);
  return Object.keys(path.length === 2 ? requestSchema.shape : expectSchema.shape);
}

/** The value as compact JSON; undefined where JSON has no such value: NaN, an infinity, a cycle. */
export function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_key, part: unknown) => {
      if (typeof part === 'number' && !Number.isFinite(part)) throw new TypeError('not a JSON number');
      return part;
    });
  } catch {
    return undefined;
  }
}

/** The JSON Schema of traffic files, for editors; schema/traffic.schema.json is its committed copy. */
export function trafficJsonSchema(): Record<string, unknown> {
  return { title: 'dotnet-snapshot traffic file', ...z.toJSONSchema(trafficSchema, { io: 'input' }) };
}
