/** Values captured from earlier answers, by name. */
export type Captures = Map<string, string>;

/** What may stand after the bar in `{{name|filter}}`. */
const FILTERS: Record<string, (value: string) => string> = {
  url: encodeURIComponent,
  json: (value) => JSON.stringify(value).slice(1, -1),
};

const PLACEHOLDER = /\{\{\s*([A-Za-z_][\w-]*)\s*(?:\|\s*(\w+)\s*)?\}\}/g;

/** One `{{name}}` or `{{name|filter}}` in a text. */
export interface Placeholder {
  name: string;
  /** Undefined where none is given; may be one that does not exist. */
  filter: string | undefined;
}

/** Names that a placeholder may have, as a pattern for the whole name. */
export const CAPTURE_NAME = /^[A-Za-z_][\w-]*$/;

/** Filters that exist. */
export const FILTER_NAMES = Object.keys(FILTERS);

/** All placeholders of a text, in order. */
export function placeholdersIn(text: string): Placeholder[] {
  return Array.from(text.matchAll(PLACEHOLDER), ([, name, filter]) => ({ name: name!, filter }));
}

/** The text with each placeholder replaced by its captured value; one that was never captured becomes the empty text. */
export function fillIn(text: string, captures: Captures): string {
  if (!text.includes('{{')) return text;
  return text.replace(PLACEHOLDER, (_whole, name: string, filter?: string) => {
    const value = captures.get(name) ?? '';
    return filter === undefined ? value : FILTERS[filter]!(value);
  });
}

/** JSON text whose bare placeholders escape what they fill in: in JSON, `{{` can only stand inside a string. */
export function escapeInJson(json: string): string {
  return json.replace(PLACEHOLDER, (whole, name: string, filter?: string) => (filter ? whole : `{{${name}|json}}`));
}

/** The text without its placeholders: what the file itself says. */
export function withoutPlaceholders(text: string): string {
  return text.replace(PLACEHOLDER, '');
}
