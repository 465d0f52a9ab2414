/** What others chose, in at most `length` characters and without what a terminal or a runner's log would act on. */
export function printable(text: string, length: number): string {
  return text.replace(/[\p{C}\s]+/gu, ' ').slice(0, length);
}
