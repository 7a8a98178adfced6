/** The words of a text in lower case, with single spaces: to tell whether two texts say the same, marks aside. */
export function wordsOf(text: string): string {
  return (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(" ");
}
