import { registerHooks } from 'node:module';

// The packages import JSON in the way of bundlers, without the attribute that Node asks for.
registerHooks({
  load: (url, context, nextLoad) =>
    nextLoad(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context),
});

/** GitHub's own parser of workflows and of action files, as of `@actions/workflow-parser`. */
export const {
  convertWorkflowTemplate,
  isBasicExpression,
  isMapping,
  isSequence,
  NoOperationTraceWriter,
  parseWorkflow,
} = await import('@actions/workflow-parser');
export const { convertActionTemplate, parseAction } = await import('@actions/workflow-parser/actions/index');
export const { ensureStatusFunction } = await import('@actions/workflow-parser/model/converter/if-condition');

/** GitHub's own check of workflow and action files, as editors show it. */
export const { validate } = await import('@actions/languageservice');
