import { NO_DOCUMENT } from "../../context/wording.ts";
import type { Decision, View } from "../../policy.ts";
import type { Evidence } from "./evidence.ts";
import type { Item, Pool } from "./pool.ts";
import { originalWords, type Question } from "./question.ts";
import { bestOf, type Scores, type Scoring, scoreDocuments, scoreOf } from "./score.ts";

/**
 * Log-odds that a document is needed: `CALIBRATION.atBest` for the best one, less `perScore` for every point that it
 * scores less. Fitted over eight kinds of questions alike.
 */
const CALIBRATION = { atBest: -0.36, perScore: 1 };
/**
 * A document is listed when it is at least this likely to be needed. For the best F_beta a document belongs into the list
 * when its probability is over F / (1 + beta²), F being the F_beta that is reached (Lipton, Elkan and Narayanaswamy 2014
 * for beta = 1); beta is 4, as in the reward of Context-1 at its start, and F somewhat over 0.5 on the average.
 */
const LISTED_MIN = 0.85 / (1 + 4 ** 2);
/** So many documents are listed in any case: with fewer, some kind of questions loses more than 0.02 of recall at 10. */
const DOCUMENTS_MIN = 10;
/** What the question itself ranks so far in front is listed, whatever evidence says of others. */
const KEPT_RANKS = 3;
/** What a note of worth counts for against a score of the end: it was made when less was known. */
const NOTE_SHARE = 0.8;

interface Candidate {
  readonly id: string;
  readonly document: string;
  readonly score: number;
  /** Orders the chunks of one document. */
  readonly tie: number;
  readonly justification: string;
}

/** What a list is made of. */
export interface Concluding extends Scoring {
  readonly scores: Scores;
  readonly evidence: Evidence;
}

/** The list: what is in view and what the question ranks by score, and what was pruned by what it was noted to be worth. */
export function conclude(view: View, concluding: Concluding, isCut: boolean): Decision {
  const { question, pool, prior, scores, evidence } = concluding;
  const documentScores = scoreDocuments(concluding);
  const best = Math.max(bestOf(scores), ...documentScores.values());
  const answers = evidence.searches.filter(({ query }) => query === question.text).flatMap(({ chunks }) => chunks);
  const asked = new Set(answers.map(({ key }) => key));
  const shown = [...scores].map(
    ([item, score]): Candidate => ({
      id: item.chunk.shownId,
      document: item.chunk.shownDocumentId,
      // Evidence of a document's several chunks counts together.
      score: Math.max(score, documentScores.get(item.chunk.shownDocumentId) ?? 0),
      tie: score,
      justification: justify(item, question, pool, asked.has(item.chunk.key)),
    }),
  );
  const pruned = evidence.pruned.map(
    ({ shownId, shownDocumentId, worth }): Candidate => ({
      id: shownId,
      document: shownDocumentId,
      score: worth === undefined ? Number.NEGATIVE_INFINITY : NOTE_SHARE * scoreOf(worth, best),
      tie: 0,
      justification: "Weighed and pruned on the way.",
    }),
  );
  const unread = prior.entries.map(
    ({ document, chunk }): Candidate => ({
      id: chunk,
      document,
      score: documentScores.get(document) ?? 0,
      tie: Number.NEGATIVE_INFINITY,
      justification: "Found by the question itself.",
    }),
  );
  const rank = (document: string): number => prior.rankOf(document) ?? Number.MAX_SAFE_INTEGER;
  const candidates = [...shown, ...pruned, ...unread].sort(
    (a, b) => b.score - a.score || rank(a.document) - rank(b.document) || b.tie - a.tie,
  );
  const entries = new Map<string, { readonly id: string; readonly justification: string }>();
  for (const { id, document, score, justification } of candidates) {
    const isLikely = entries.size < DOCUMENTS_MIN || probability(score - best) >= LISTED_MIN;
    if (isCut && !isLikely && rank(document) >= KEPT_RANKS) continue;
    if (!entries.has(document)) entries.set(document, { id, justification });
  }
  const documents = [...entries.values()].slice(0, view.documentsMax);
  if (view.tools.some((tool) => tool.name === "finish"))
    return { calls: [{ tool: "finish", arguments: { documents } }] };
  const elements = documents.map(
    ({ id, justification }) => `<Document id="${id}"><Justification>${justification}</Justification></Document>`,
  );
  return { text: elements.length === 0 ? NO_DOCUMENT : elements.join("\n"), calls: [] };
}

/** How likely a document is needed that scores `gap` against the best one (at most 0). */
export function probability(gap: number): number {
  return 1 / (1 + Math.exp(-(CALIBRATION.atBest + CALIBRATION.perScore * gap)));
}

/** Words that a justification names. */
const WORDS_NAMED_MAX = 5;
/** A word that stands in more of what is in view than this tells nothing about any of it. */
const RARITY_TOLD_MIN = 0.12;

/** Says which telling words of the question stand in the chunk, else how it was found: all that can be said without understanding. */
function justify(item: Item, question: Question, pool: Pool, isAnswer: boolean): string {
  const shared = question.terms.filter((term) => item.counts.has(term) && pool.rarity(term) >= RARITY_TOLD_MIN);
  const words = originalWords(question, new Set(shared)).slice(0, WORDS_NAMED_MAX);
  if (words.length > 0) return `Mentions ${words.join(", ")}.`;
  return isAnswer ? "Found by the question itself." : "Reached by following a name from another document.";
}
