import { isAscii, mergeBytes, type RankOf } from "./merge-bytes.ts";

/**
 * The encoding's own way of cutting a text into pieces before byte pairs are merged (the o200k pattern), with white
 * space as Unicode defines it. JavaScript's own \s differs from that in two characters: it lacks U+0085 and has U+FEFF.
 */
const WORD_END = "(?:'(?:[sdmtSDMT]|[lL][lL]|[vV][eE]|[rR][eE]))?";
const UPPER = String.raw`[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]`;
const LOWER = String.raw`[\p{Ll}\p{Lm}\p{Lo}\p{M}]`;
const BEFORE_WORD = String.raw`[^\r\n\p{L}\p{N}]?`;
const SPACE = String.raw`\p{White_Space}`;
const PIECE = new RegExp(
  [
    `${BEFORE_WORD}${UPPER}*${LOWER}+${WORD_END}`,
    `${BEFORE_WORD}${UPPER}+${LOWER}*${WORD_END}`,
    String.raw`\p{N}{1,3}`,
    String.raw` ?[^${SPACE}\p{L}\p{N}]+[\r\n/]*`,
    String.raw`${SPACE}*[\r\n]+`,
    String.raw`${SPACE}+(?!\P{White_Space})`,
    `${SPACE}+`,
  ].join("|"),
  "gu",
);

/**
 * Encodes exactly as the vocabulary defines, in time n log n of the longest piece. `text` must be well-formed. Used
 * where the quicker path would not be exact: very long runs of one class of character, and the two characters above.
 */
export function encodeExactly(text: string, rankOf: RankOf): number[] {
  const ids: number[] = [];
  for (const [piece] of text.matchAll(PIECE)) {
    const bytes = isAscii(piece) ? piece : Buffer.from(piece, "utf8").toString("latin1");
    const whole = rankOf(bytes);
    if (whole === undefined) mergeBytes(bytes, rankOf, ids);
    else ids.push(whole);
  }
  return ids;
}
