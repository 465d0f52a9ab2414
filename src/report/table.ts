/** A Markdown table: the first column to the left, figures to the right. Cells are Markdown already and hold no bare pipe. */
export function markdownTable(header: string[], rows: string[][]): string {
  const rule = header.map((_, column) => (column === 0 ? ':--' : '--:'));
  return [header, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
