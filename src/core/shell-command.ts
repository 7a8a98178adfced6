/** The words of a command as a POSIX shell reads them back; told in reports, so that others can repeat them. */
export function shellCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[A-Za-z0-9_./:@=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(" ");
}
