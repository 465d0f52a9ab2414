/** The first `longest` printable characters of a body, on one line; a cut is marked with `…`. */
export function excerptOf(body: Uint8Array, longest = 200): string {
  // A character takes at most four bytes; what is cut in half at the end is beyond `longest` anyway.
  const bytes = body.subarray(0, longest * 4 + 4);
  const clean = [
    ...new TextDecoder()
      .decode(bytes)
      .replace(/[\p{C}\s]+/gu, ' ')
      .trim(),
  ];
  const cut = clean.length > longest || bytes.length < body.length;
  return cut ? `${clean.slice(0, longest).join('')}…` : clean.join('');
}
