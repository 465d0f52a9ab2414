import { Document, isMap, isScalar } from 'yaml';

/** A YAML document: a value, and comments by the path of the key that they stand above; words of a path by spaces. */
export interface CommentedDocument {
  value: object;
  comments?: Record<string, string>;
}

/** Columns that a comment may take. */
const WIDTH = 110;

/** YAML of one or several documents, with a comment at its top. Throws where a comment has no key to stand above. */
export function yamlFile(top: string, ...documents: CommentedDocument[]): string {
  return `${commentLines(top)}\n${documents.map(yamlDocument).join('---\n')}`;
}

function yamlDocument({ value, comments = {} }: CommentedDocument): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  for (const [path, text] of Object.entries(comments)) {
    const words = path.split(' ');
    const key = words.pop();
    const parent = words.length === 0 ? document.contents : document.getIn(words);
    const pair = isMap(parent) && parent.items.find((item) => isScalar(item.key) && item.key.value === key);
    if (!pair || !isScalar(pair.key)) throw new Error(`There is no key ${path} to comment on.`);
    pair.key.commentBefore = commentLines(text, '');
  }
  return document.toString({ lineWidth: 0 });
}

/** A text as lines of at most {@link WIDTH} columns; its own line breaks stay. */
function commentLines(text: string, mark = '#'): string {
  const wrapped = text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let rest = paragraph;
    while (rest.length > WIDTH) {
      const at = rest.lastIndexOf(' ', WIDTH);
      lines.push(rest.slice(0, at));
      rest = rest.slice(at + 1);
    }
    return [...lines, rest];
  });
  return wrapped.map((line) => `${mark} ${line}`).join('\n');
}
