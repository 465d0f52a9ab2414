import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token';
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';
import { asText, type Contexts, evaluateToken } from './expressions.ts';
import type { Permissions } from './github-api.ts';
import { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } from './github-parser.ts';
import type { Trigger } from './trigger.ts';

/** Reads a workflow that a job calls; throws where there is none. */
export type WorkflowReader = (uses: string) => Promise<string>;

/**
 * A workflow as GitHub's parser reads it. Throws its messages where it finds the file invalid, or a call that lacks inputs
 * or secrets, or has ones that the called workflow doesn't declare.
 */
export async function parseWorkflowFile(name: string, content: string, read: WorkflowReader): Promise<MappingToken> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  if (value) {
    // A call whose file this parser knows no address for is given to `read` under the address it was written as.
    const fileProvider = {
      getFileContent: async (reference: { path: string }) => {
        const uses = 'owner' in reference ? remoteAddress(reference) : `./${reference.path}`;
        return { name: reference.path, content: await read(uses) };
      },
    };
    await convertWorkflowTemplate(context, value, fileProvider, { fetchReusableWorkflowDepth: 1 });
  }
  const errors = context.errors.getErrors().map(({ message }) => message);
  if (errors.length > 0 || !value) throw new Error(`${name} is not valid:\n${errors.join('\n')}`);
  return value.assertMapping(name);
}

function remoteAddress(reference: object): string {
  const { owner, repository, path, version } = reference as Record<string, string>;
  return `${owner}/${repository}/${path}@${version}`;
}

/** A member of a mapping as a mapping; empty where it is absent or null. */
export function mappingOf(parent: MappingToken, key: string): [string, TemplateToken][] {
  const value = parent.find(key);
  if (!value || !('find' in value)) return [];
  return [...value.assertMapping(key)].map((pair) => [pair.key.assertString(key).value, pair.value]);
}

/** A member of a mapping as texts by name, expressions evaluated: `env`, `with`, `outputs`. */
export function textMap(parent: MappingToken, key: string, contexts: Contexts): Record<string, string> {
  return Object.fromEntries(
    mappingOf(parent, key).map(([name, value]) => [name, asText(evaluateToken(value, contexts))]),
  );
}

/** Throws unless the trigger starts the workflow. Filters by path or type are not known here. */
export function requireTriggered(workflow: MappingToken, { eventName, ref, baseRef }: Trigger): void {
  const on = evaluateToken(workflow.find('on')!, {});
  const events: Record<string, unknown> =
    typeof on === 'string'
      ? { [on]: null }
      : Array.isArray(on)
        ? Object.fromEntries(on.map((name) => [name, null]))
        : Object(on);
  if (!(eventName in events)) throw new Error(`The workflow does not run on ${eventName}.`);
  const filters = Object.entries((events[eventName] ?? {}) as Record<string, string[]>);
  const branch = eventName === 'pull_request' ? baseRef : refName(ref, 'refs/heads/');
  const tag = refName(ref, 'refs/tags/');
  for (const [filter] of filters) {
    if (filter !== 'branches' && filter !== 'tags') throw new Error(`The filter ${filter} is not supported here.`);
  }
  const matches = filters.some(([filter, patterns]) =>
    patterns.some((pattern) => matchesGlob(filter === 'tags' ? tag : branch, pattern)),
  );
  if (filters.length > 0 && !matches) throw new Error(`The workflow’s filters keep it from running for ${ref}.`);
}

function refName(ref: string, prefix: string): string | undefined {
  return ref.startsWith(prefix) ? ref.slice(prefix.length) : undefined;
}

function matchesGlob(name: string | undefined, pattern: string): boolean {
  if (/[?+[\]!]/.test(pattern)) throw new Error(`The pattern ${pattern} is not supported here.`);
  const parts = pattern
    .split(/(\*\*|\*)/)
    .map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part.replace(/[.(){}^$|\\]/g, '\\$&')));
  return name !== undefined && new RegExp(`^${parts.join('')}$`).test(name);
}

/** The values for a called workflow's inputs: what the caller gives, checked by type, else the defaults. */
export function bindInputs(called: MappingToken, given: Record<string, unknown>): Record<string, unknown> {
  const call = called.find('on')?.assertMapping('on').find('workflow_call');
  if (!call || !('find' in call)) return {};
  const bound = mappingOf(call.assertMapping('workflow_call'), 'inputs').map(([name, definition]) => {
    const { type, default: fallback } = evaluateToken(definition, {}) as { type: string; default?: unknown };
    const value = given[name] ?? fallback ?? { string: '', boolean: false, number: 0 }[type];
    if (type === 'string' && typeof value !== 'object') return [name, asText(value)];
    if (typeof value !== type) throw new Error(`The input ${name} is of type ${type}, not ${typeof value}: ${value}`);
    return [name, value];
  });
  return Object.fromEntries(bound);
}

/** The permissions that a workflow or a job sets, or `unset` where it does not. Throws where they go beyond `limit`. */
export function permissionsOf(owner: MappingToken, what: string, unset: Permissions, limit?: Permissions): Permissions {
  const token = owner.find('permissions');
  const asked = token ? evaluateToken(token, {}) : unset;
  if (typeof asked === 'string') throw new Error(`permissions: ${asked} is not supported here; name each.`);
  const rank = { none: 0, read: 1, write: 2 };
  for (const [scope, level] of Object.entries(asked as Permissions)) {
    const allowed = limit === undefined ? 'write' : (limit[scope] ?? 'none');
    if (rank[level] > rank[allowed]) {
      throw new Error(`${what} is requesting '${scope}: ${level}', but is only allowed '${scope}: ${allowed}'.`);
    }
  }
  return asked as Permissions;
}
