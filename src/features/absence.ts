import type { Filter } from "../core/filter.ts";
import type { Hit, Notice } from "../core/types.ts";
import type { CorpusReader, FindMode } from "../retrieval/corpus-reader.ts";
import { absentWords, coverageOf, type QuestionWord, questionWords } from "../retrieval/find/question-words.ts";
import { STATIC_EMBEDDER } from "./indexing/embedders.ts";
import type { QuestionOrder } from "./question/question-order.ts";

/**
 * Log-odds that a corpus holds what a question asks for, from the share of its words that one of the first hits holds and
 * the cosine of the nearest chunk under the built-in embedder. Fitted on questions asked of the corpus that answers them
 * and of another one: docs/decisions/abstention.md.
 */
const STRENGTH = { perCoverage: 8, perCosine: 16, base: -11.2 };
/** Below this a list is marked as weak, and below the second there is nothing. No answered question was measured there. */
const WEAK_BELOW = -2.5;
const ABSENT_BELOW = -3;
/** Less than the nearest chunk had for any question that was answered. */
const COSINE_LEAST = 0.25;
/** Words that one notice names; the rest are counted. */
const NAMED_MAX = 5;

export interface AbsenceQuery {
  readonly text: string;
  readonly mode: FindMode;
  /** What the question has found, best first. */
  readonly hits: readonly Hit[];
  readonly where: Filter;
  readonly excludeDocuments: ReadonlySet<string>;
  readonly signal?: AbortSignal | undefined;
  /** What the question says besides its words, where it says so: a time is no word, and documents of it are an answer. */
  readonly order?: QuestionOrder | undefined;
}

export interface Absence {
  readonly notices: readonly Notice[];
  /** Nothing that was found speaks for an answer. */
  readonly isAbsent: boolean;
  /** Besides, no word of the question is in the corpora: a list would be noise. The notices say so. */
  readonly isUnlisted: boolean;
}

export const NOTHING_TOLD: Absence = { notices: [], isAbsent: false, isUnlisted: false };

/**
 * What the corpora lack of a question: rare words that no document holds (`words_absent`), and whether what was found
 * matches it too weakly to be an answer (`weak_match`). Who asks by meaning alone is told nothing. Rejects only when the
 * signal aborts: a list without these notices is better than none.
 */
export async function judgeAbsence(corpora: readonly CorpusReader[], query: AbsenceQuery): Promise<Absence> {
  const { order } = query;
  const words = order?.words ?? questionWords(query.text);
  if (query.mode === "dense" || words.length === 0 || corpora.length === 0) return NOTHING_TOLD;
  const { hits, where, excludeDocuments, signal } = query;
  const scope = { where, excludeDocuments, ...(signal === undefined ? {} : { signal }) };
  try {
    const absent = await absentWords(corpora, words, { hits, ...scope });
    const isDoubtful = query.mode === "hybrid" && order?.time === undefined && !knowsNames(words, absent);
    const strength = isDoubtful ? await strengthOf(corpora, query.text, coverageOf(words, hits), scope) : undefined;
    const isNarrowed = where.length > 0 || excludeDocuments.size > 0;
    const isAbsent = strength !== undefined && strength < ABSENT_BELOW;
    const isUnlisted = isAbsent && absent.length === words.length;
    const isWeak = strength !== undefined && strength < WEAK_BELOW && hits.length > 0;
    const match = isUnlisted ? [NOTHING_NEAR] : isWeak ? [WEAK_MATCH] : [];
    return { notices: [...absentNotices(absent, isNarrowed), ...match], isAbsent, isUnlisted };
  } catch {
    signal?.throwIfAborted();
    return NOTHING_TOLD;
  }
}

const WEAK_MATCH: Notice = {
  code: "weak_match",
  message: "What was found matches the question only weakly: it may not be answered here.",
};

/** Said in place of a list. */
const NOTHING_NEAR: Notice = {
  code: "nothing_near",
  message:
    "Nothing is near the question by meaning either, so nothing is listed. Mode dense lists the nearest all the same.",
};

/**
 * True where the corpora hold every name of the question. A chain of questions asks in words that its documents need not
 * hold for what begins with such a name, and looks as weak as a question of another subject.
 */
function knowsNames(words: readonly QuestionWord[], absent: readonly QuestionWord[]): boolean {
  const names = words.filter(({ isName }) => isName);
  return names.length > 0 && names.every((name) => !absent.includes(name));
}

type Scope = Pick<AbsenceQuery, "where" | "excludeDocuments"> & { readonly signal?: AbortSignal };

/** Undefined where the vectors are of another embedder, whose cosines mean something else, and where nothing is in doubt. */
async function strengthOf(
  corpora: readonly CorpusReader[],
  text: string,
  coverage: number,
  scope: Scope,
): Promise<number | undefined> {
  const without = STRENGTH.base + STRENGTH.perCoverage * coverage;
  if (without + STRENGTH.perCosine * COSINE_LEAST >= WEAK_BELOW) return undefined;
  const embedders = await Promise.all(corpora.map(async (corpus) => (await corpus.info()).embedder));
  if (embedders.some((name) => name !== STATIC_EMBEDDER.name)) return undefined;
  const answers = await Promise.all(
    corpora.map((corpus) => corpus.find({ text, mode: "dense", chunksMax: 1, ...scope })),
  );
  const cosines = answers.map(({ hits: [nearest] }) => nearest?.score ?? 0);
  return without + STRENGTH.perCosine * Math.max(...cosines);
}

function absentNotices(absent: readonly QuestionWord[], isNarrowed: boolean): Notice[] {
  if (absent.length === 0) return [];
  const named = absent.slice(0, NAMED_MAX).map(({ text }) => `"${text}"`);
  const left = absent.length - named.length;
  const all = left > 0 ? [...named, `${left} more of the words`] : named;
  const list = all.length === 1 ? all.join("") : `${all.slice(0, -1).join(", ")} or ${all.at(-1)}`;
  const documents = isNarrowed ? "None of the documents that were asked for holds" : "No document holds";
  return [{ code: "words_absent", message: `${documents} ${list}.` }];
}
