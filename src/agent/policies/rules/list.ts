import { NO_DOCUMENT } from "../../context/wording.ts";
import type { Decision, View } from "../../policy.ts";
import { bestSentence, reason } from "../../reason.ts";
import { distinctDocuments } from "./distinct.ts";
import type { Evidence } from "./evidence.ts";
import type { Item } from "./pool.ts";
import { bestOf, type Scored, type Scores, type Scoring, scoreDocuments, scoreOf } from "./score.ts";
import { viaOf } from "./via.ts";
import { terms } from "./words.ts";

/**
 * Log-odds that a document is needed: `CALIBRATION.atBest` for the best one, less `perScore` for every point that it
 * scores less. Fitted over eight kinds of questions alike.
 */
const CALIBRATION = { atBest: -0.43, perScore: 1 };
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
/** The first documents of the question, which give way only to strong evidence: there a wrong lift costs most. */
const FIRST_RANKS = 2;
/** What a note of worth counts for against a score of the end: it was made when less was known. */
const NOTE_SHARE = 0.8;

interface Candidate {
  readonly id: string;
  readonly document: string;
  readonly score: number;
  /** Orders the chunks of one document. */
  readonly tie: number;
  /** Of those that are listed only: it takes reading the passage. */
  readonly justification: () => string;
}

/** What a list is made of. */
export interface Concluding extends Scoring {
  readonly scores: Scores;
  readonly evidence: Evidence;
}

/** The list: what is in view and what the question ranks by score, and what was pruned by what it was noted to be worth. */
export function conclude(view: View, concluding: Concluding, isCut: boolean): Decision {
  const { question, prior, scores, evidence } = concluding;
  const documentScores = scoreDocuments(concluding);
  const scoreOfDocument = (document: string): number => documentScores.get(document)?.score ?? 0;
  const best = Math.max(bestOf(scores), ...[...documentScores.values()].map(({ score }) => score));
  const answers = evidence.searches.filter(({ query }) => query === question.text).flatMap(({ chunks }) => chunks);
  const asked = new Set(answers.map(({ key }) => key));
  const shown = [...scores].map(
    ([item, score]): Candidate => ({
      id: item.chunk.shownId,
      document: item.chunk.shownDocumentId,
      // Evidence of a document's several chunks counts together.
      score: Math.max(score, scoreOfDocument(item.chunk.shownDocumentId)),
      tie: score,
      justification: () => justify(item, concluding, asked.has(item.chunk.key)),
    }),
  );
  const pruned = evidence.pruned.map(
    ({ shownId, shownDocumentId, worth }): Candidate => ({
      id: shownId,
      document: shownDocumentId,
      score: worth === undefined ? Number.NEGATIVE_INFINITY : NOTE_SHARE * scoreOf(worth, best),
      tie: 0,
      justification: () => "Weighed and pruned on the way.",
    }),
  );
  const unread = prior.entries.map(
    ({ document, chunk }): Candidate => ({
      id: chunk,
      document,
      score: scoreOfDocument(document),
      tie: Number.NEGATIVE_INFINITY,
      // Whoever makes the result knows the text.
      justification: () => "",
    }),
  );
  const rank = (document: string): number => prior.rankOf(document) ?? Number.MAX_SAFE_INTEGER;
  const candidates = behindFirst([...shown, ...pruned, ...unread], concluding, documentScores).sort(
    (a, b) => b.score - a.score || rank(a.document) - rank(b.document) || b.tie - a.tie,
  );
  const entries = new Map<string, Pick<Candidate, "id" | "justification">>();
  for (const { id, document, score, justification } of candidates) {
    const isLikely = entries.size < DOCUMENTS_MIN || probability(score - best) >= LISTED_MIN;
    if (isCut && !isLikely && rank(document) >= KEPT_RANKS) continue;
    if (!entries.has(document)) entries.set(document, { id, justification });
  }
  const documents = distinctDocuments(entries, scores, view.documentsMax).map(({ id, justification }) => ({
    id,
    justification: justification(),
  }));
  if (view.tools.some((tool) => tool.name === "finish"))
    return { calls: [{ tool: "finish", arguments: { documents } }] };
  const elements = documents.map(
    ({ id, justification }) =>
      `<Document id="${id}"><Justification>${withoutAngles(justification)}</Justification></Document>`,
  );
  return { text: elements.length === 0 ? NO_DOCUMENT : elements.join("\n"), calls: [] };
}

/** The candidates, with those that pass the question's first documents on weak evidence put level with the lower of these. */
function behindFirst(
  candidates: readonly Candidate[],
  { prior, ranker }: Pick<Concluding, "prior" | "ranker">,
  documentScores: ReadonlyMap<string, Scored>,
): Candidate[] {
  const first = prior.entries.slice(0, FIRST_RANKS).map(({ document }) => document);
  const floor = Math.min(...first.map((document) => documentScores.get(document)?.score ?? 0));
  const isHeld = ({ document, score }: Candidate): boolean =>
    score > floor && !first.includes(document) && (documentScores.get(document)?.lift ?? 0) < ranker.firstLiftMin;
  // Level scores are ordered by the question's ranking.
  return candidates.map((candidate) => (isHeld(candidate) ? { ...candidate, score: floor } : candidate));
}

/** How likely a document is needed that scores `gap` against the best one (at most 0). */
export function probability(gap: number): number {
  return 1 / (1 + Math.exp(-(CALIBRATION.atBest + CALIBRATION.perScore * gap)));
}

/** What the chunk says to the question, and what led there where that is not the question's own words. */
function justify(item: Item, concluding: Concluding, isAnswer: boolean): string {
  const { question, pool } = concluding;
  const { text, headings, title } = item.chunk;
  const asked = { terms: question.terms, weight: (term: string) => pool.weight(term), termsOf: terms };
  const sentence = bestSentence(text, [title, ...headings], asked);
  const via = isAnswer ? undefined : viaOf(item, concluding);
  if (sentence.text === "")
    return via === undefined ? "Found by the question itself." : "Reached by a name in another document.";
  return reason({ sentence: sentence.text, ...(via && { via }) });
}

/** What a document says must not end the element that it is quoted in, or begin another one. */
function withoutAngles(text: string): string {
  return text.replaceAll("<", "‹").replaceAll(">", "›");
}
