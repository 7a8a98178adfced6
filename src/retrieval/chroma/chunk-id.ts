/** What would be read as something else: the marks of parts and of escapes, and what no terminal should get. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is escaped
const UNSAFE = /[%#\u0000-\u001f\u007f-\u009f\u2028\u2029]/gu;

/**
 * The id of the chunk that holds a record, or one part of a long one. A record's vector was made from its beginning, so
 * the first part is what a dense query finds. `recordIdOf` gives the record's id back.
 */
export function chunkIdOf(recordId: string, part: number): string {
  const safe = recordId.replace(UNSAFE, (character) => encodeURIComponent(character));
  return part === 0 ? safe : `${safe}#${part}`;
}

/** The record of a chunk that `chunkIdOf` named. */
export function recordIdOf(chunkId: string): string {
  const mark = chunkId.indexOf("#");
  return decodeURIComponent(mark === -1 ? chunkId : chunkId.slice(0, mark));
}
