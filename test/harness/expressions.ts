import { data, Evaluator, Lexer, Parser } from '@actions/expressions';
import type { FunctionDefinition } from '@actions/expressions/funcs/info';
import type { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token';
import { isBasicExpression, isMapping, isSequence } from './github-parser.ts';

/** Contexts by name (`github`, `inputs`, …) as plain JSON values; a context that is not here can't be used. */
export type Contexts = Record<string, unknown>;

/** How the job stands, for `success()` and the like; without it these functions are not known. */
export type JobStatus = 'success' | 'failure';

/** The value of an expression, without its `${{ }}`, as GitHub's own evaluator sees it. Throws what that throws. */
export function evaluate(expression: string, contexts: Contexts, status?: JobStatus): unknown {
  const functions = status === undefined ? [] : statusFunctions(status);
  const parsed = new Parser(new Lexer(expression).lex().tokens, Object.keys(contexts), functions).parse();
  const context = toData(contexts) as data.Dictionary;
  const table = new Map(functions.map((definition) => [definition.name.toLowerCase(), definition]));
  return fromData(new Evaluator(parsed, context, table).evaluate());
}

/** A condition's outcome, by the rules of truth of expressions. */
export function evaluateCondition(expression: string, contexts: Contexts, status: JobStatus): boolean {
  return evaluate(`!!(${expression})`, contexts, status) === true;
}

/** A part of a workflow as a plain value, its expressions evaluated. */
export function evaluateToken(token: TemplateToken, contexts: Contexts): unknown {
  if (isBasicExpression(token)) return evaluate(token.expression, contexts);
  if (isSequence(token))
    return Array.from({ length: token.count }, (_, index) => evaluateToken(token.get(index), contexts));
  if (isMapping(token)) {
    const pairs = [...token].map(({ key, value }) => [key.assertString('key').value, evaluateToken(value, contexts)]);
    return Object.fromEntries(pairs);
  }
  if (token.isExpression) throw new Error(`This kind of expression is not supported: ${token}`);
  return token.toJSON() ?? null;
}

/** The value as text, as in `env:` and `with:`. */
export function asText(value: unknown): string {
  return (toData(value) as data.ExpressionData).coerceString();
}

function toData(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null), data.reviver);
}

function fromData(value: data.ExpressionData): unknown {
  return JSON.parse(JSON.stringify(value, data.replacer));
}

function statusFunctions(status: JobStatus): FunctionDefinition[] {
  const is = (name: string, value: boolean): FunctionDefinition => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(value),
  });
  return [
    is('success', status === 'success'),
    is('failure', status === 'failure'),
    is('always', true),
    is('cancelled', false),
  ];
}
