import { NO_DOCUMENT } from "../../context/wording.ts";
import type { Decision, View } from "../../policy.ts";
import { distinctDocuments } from "./distinct.ts";
import type { Evidence } from "./evidence.ts";
import type { Item, Pool } from "./pool.ts";
import { originalWords, type Question } from "./question.ts";
import { bestOf, type Scores, scoreOf } from "./score.ts";

/**
 * Log-odds that a document is needed: `CALIBRATION.atBest` for the best one, less `perScore` for every point that it
 * scores less. One fit serves short and long chunks alike (docs/measurements.md, calibration).
 */
const CALIBRATION = { atBest: 0.4, perScore: 1.3 };
/**
 * A document is listed when it is at least this likely to be needed. For the best F_beta a document belongs into the list
 * when its probability is over F / (1 + beta²), F being the F_beta that is reached (Lipton, Elkan and Narayanaswamy 2014
 * for beta = 1); beta is 4, as in the reward of Context-1 at its start, and F about 0.6.
 */
const LISTED_MIN = 0.6 / (1 + 4 ** 2);
/**
 * So many documents are listed in any case where several corpora are asked. The odds were fitted on passages of one kind;
 * the subject of a commit that repeats the question outdoes by far the document that answers it.
 */
const LISTED_OF_SEVERAL = 5;
/** What a note of worth counts for against a score of the end: it was made when less was known. */
const NOTE_SHARE = 0.8;

interface Candidate {
  readonly id: string;
  readonly document: string;
  readonly score: number;
  readonly justification: string;
}

/** The list: what is in view by score, and what was pruned by what it was noted to be worth. */
export function conclude(
  view: View,
  { question, pool, scores, evidence }: { question: Question; pool: Pool; scores: Scores; evidence: Evidence },
  isCut: boolean,
): Decision {
  const best = bestOf(scores);
  const answers = evidence.searches.filter(({ query }) => query === question.text).flatMap(({ chunks }) => chunks);
  const asked = new Set(answers.map(({ key }) => key));
  const shown = [...scores].map(
    ([item, score]): Candidate => ({
      id: item.chunk.shownId,
      document: item.chunk.shownDocumentId,
      score,
      justification: justify(item, question, pool, asked.has(item.chunk.key)),
    }),
  );
  const pruned = evidence.pruned.map(
    ({ shownId, shownDocumentId, worth }): Candidate => ({
      id: shownId,
      document: shownDocumentId,
      score: worth === undefined ? Number.NEGATIVE_INFINITY : NOTE_SHARE * scoreOf(worth, best),
      justification: "Weighed and pruned on the way.",
    }),
  );
  const entries = new Map<string, { readonly id: string; readonly justification: string }>();
  const listedMin = (view.corpora ?? 1) > 1 ? LISTED_OF_SEVERAL : 1;
  for (const { id, document, score, justification } of [...shown, ...pruned].sort((a, b) => b.score - a.score)) {
    if (isCut && entries.size >= listedMin && probability(score - best) < LISTED_MIN) break;
    if (!entries.has(document)) entries.set(document, { id, justification });
  }
  const documents = distinctDocuments(entries, scores, view.documentsMax);
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
