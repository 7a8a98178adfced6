import type { Filter } from "../../core/filter.ts";
import type { Chunk, Hit, Notice } from "../../core/types.ts";
import { indexedText } from "../corpus/indexed-text.ts";
import type { CorpusReader } from "../corpus-reader.ts";
import { analyzeQuery, analyzeText } from "../lexical/analyze.ts";

/** A word of a question that carries content. */
export interface QuestionWord {
  /** As it is written. */
  readonly text: string;
  /** What it is made of, as written; a document that holds the word holds them all. One for most words. */
  readonly pieces: readonly string[];
  /** Case or digits say that it is a name, an identifier or a number. */
  readonly isName: boolean;
}

/** Of a longer text the beginning says what it is about. */
const WORDS_MAX = 256;
/** Words that are looked up for one question at most, names first. */
const LOOKED_UP_MAX = 12;
/** Hits that are looked at: where a question has an answer, one of the first is about it. */
const LOOKED_AT_CHUNKS = 10;
/** Shorter pieces stand in any text, or tell nothing. */
const PIECE_UNITS_MIN = 3;

/** Words by which people ask, and which say little about what they ask for. */
const ASKING = new Set(
  (
    "about again ago all also always am another any anybody anyone anything because before best better between big both come comes describe " +
    "detail details different during each either else ever every everything example exactly exist exists explain few find " +
    "first for get gets give given gives goes going gone good got happen happened happens hello help here hey how instead just kind know last let " +
    "like list long look looking made make makes making many may maybe mean means might more most much must name need needs " +
    "never new next not nothing now off often old one only other others out over own people please possible question read really " +
    "reason regarding same say says see seem seems seen several shall short show since small some somebody someone something soon still take " +
    "takes tell thank thanks thing things think through time times together too try trying under until use used uses using " +
    "very want wants way ways well went whatever whether while without work works yes yet"
  ).split(" "),
);
const CONTRACTION = /['’](?:t|re|ve|ll|d|m|s)$/iu;

/** The words of a question that carry content, each once, in the order in which they stand there. */
export function questionWords(text: string): QuestionWord[] {
  const words = new Map<string, QuestionWord>();
  for (const [i, written] of text.split(/[\s/\\,;:()[\]{}<>|"“”«»]+/u).entries()) {
    const bare = written.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "").replace(/['’]s$/iu, "");
    const folded = bare.toLowerCase();
    if (words.has(folded) || ASKING.has(folded) || CONTRACTION.test(bare) || isStopWord(folded)) continue;
    const pieces = bare.split(/[^\p{L}\p{M}\p{N}]+/u).filter((piece) => piece.length >= PIECE_UNITS_MIN);
    if (pieces.length === 0) continue;
    const isName = /\p{N}/u.test(bare) || /\p{Lu}/u.test(i === 0 ? bare.slice(1) : bare);
    words.set(folded, { text: bare, pieces, isName });
    if (words.size === WORDS_MAX) break;
  }
  return [...words.values()];
}

/** A query of only stop words keeps them, so one is told by what it adds to another word. */
function isStopWord(word: string): boolean {
  return analyzeQuery(`x1x ${word}`).length === 1;
}

export interface LookUp {
  /** What the question has found: words in it need no look-up. */
  readonly hits: readonly Hit[];
  readonly where?: Filter;
  readonly excludeDocuments?: ReadonlySet<string>;
  readonly signal?: AbortSignal;
}

/**
 * Those of the words that no chunk of the corpora holds in any inflection. A word of several pieces counts as held when
 * each of them is. At most `LOOKED_UP_MAX` words that the hits lack are looked up, names first, each by one query for its
 * best chunk; the others count as held.
 */
export async function absentWords(
  corpora: readonly Pick<CorpusReader, "find">[],
  words: readonly QuestionWord[],
  { hits, ...scope }: LookUp,
): Promise<QuestionWord[]> {
  const missing = words.filter((word) => !isSeen(word, hits));
  const first = [...missing.filter(({ isName }) => isName), ...missing.filter(({ isName }) => !isName)];
  const isHeld = async (piece: string): Promise<boolean> => {
    const answers = corpora.map((corpus) => corpus.find({ text: piece, mode: "lexical", chunksMax: 1, ...scope }));
    return (await Promise.all(answers)).some(({ hits: found, notices }) => found.length > 0 || isUnasked(notices));
  };
  const held = await Promise.all(
    first.slice(0, LOOKED_UP_MAX).map(async (word) => {
      const pieces = await Promise.all(word.pieces.map(isHeld));
      return { word, isAbsent: pieces.includes(false) };
    }),
  );
  const absent = new Set(held.filter(({ isAbsent }) => isAbsent).map(({ word }) => word));
  return words.filter((word) => absent.has(word));
}

/** Terms of chunks that were looked at: two measures look at the same ones. */
const analysed = new WeakMap<Chunk, ReadonlySet<string>>();

function termsOf(chunk: Chunk): ReadonlySet<string> {
  const terms = analysed.get(chunk) ?? new Set(analyzeText(indexedText(chunk)));
  analysed.set(chunk, terms);
  return terms;
}

/** Whether the first hits hold each piece of the word; no more of them are analysed than that takes. */
function isSeen({ pieces }: QuestionWord, hits: readonly Hit[]): boolean {
  const looked = hits.slice(0, LOOKED_AT_CHUNKS);
  return pieces.every((piece) => {
    const terms = analyzeQuery(piece);
    return looked.some(({ chunk }) => terms.some((term) => termsOf(chunk).has(term)));
  });
}

/** A corpus that answers nothing but why it was left out may hold anything. */
function isUnasked(notices: readonly Notice[]): boolean {
  return notices.some(({ code }) => code === "left_out");
}

/** The largest share of the words, 0 to 1, that one of the first hits holds; 0 where there is no word or no hit. */
export function coverageOf(words: readonly QuestionWord[], hits: readonly Hit[]): number {
  const terms = words.map(({ text }) => analyzeQuery(text));
  const held = hits.slice(0, LOOKED_AT_CHUNKS).map(({ chunk }) => {
    const known = termsOf(chunk);
    return terms.filter((forms) => forms.some((term) => known.has(term))).length;
  });
  return words.length === 0 ? 0 : Math.max(0, ...held) / words.length;
}
