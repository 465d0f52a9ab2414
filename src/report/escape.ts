// Names, tags and versions come from the app and from the machine: whoever opens a pull request may choose them. They
// reach Markdown and SVG only through here.

const LONGEST = 200;

/** The text on one line: control, format and unpaired characters and runs of space become one space; long text is cut. */
export function cleanText(text: string, longest = LONGEST): string {
  const characters = [...text.replace(/[\p{C}\s]+/gu, ' ').trim()];
  if (characters.length <= longest) return characters.join('');
  return `${characters.slice(0, longest - 1).join('')}…`;
}

/**
 * The text as inline code. Code is the one place where GitHub makes no mention, reference, emoji or link of what it reads.
 * A backtick span holds everything but backticks and a table's pipes; those go into an HTML element as character references,
 * which Markdown never takes for structure.
 */
export function markdownCode(text: string): string {
  const clean = cleanText(text) || '(empty)';
  if (!/[`|\\]/.test(clean)) return `\`${clean}\``;
  return `<code>${clean.replace(/[^\p{L}\p{N} ]/gu, (character) => `&#${character.codePointAt(0)};`)}</code>`;
}

/** The text on one line, whole, for XML content and quoted attributes. */
export function escapeXml(text: string): string {
  return cleanText(text, Number.POSITIVE_INFINITY).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/**
 * The line that finds an app's comment again. The name is percent-encoded: two names never share a marker, and without a
 * `>` of its own no name can close the HTML comment.
 */
export function commentMarker(name: string): string {
  return `<!-- dotnet-snapshot:${encodeURIComponent(name.replace(/\p{Cs}/gu, '?'))} -->`;
}
