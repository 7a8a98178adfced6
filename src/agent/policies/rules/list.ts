import { NO_DOCUMENT } from "../../context/wording.ts";
import type { Decision, View } from "../../policy.ts";
import { bestSentence, reason } from "../../reason.ts";
import { distinctDocuments } from "./distinct.ts";
import type { Evidence } from "./evidence.ts";
import { withNoiseDemoted } from "./noise.ts";
import type { Item, Pool } from "./pool.ts";
import type { Question } from "./question.ts";
import { bestOf, type Scores, scoreOf } from "./score.ts";
import { terms } from "./words.ts";

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
  /** Of those that are listed only: it takes reading the passage. */
  readonly justification: () => string;
}

/** The list: what is in view by score, and what was pruned by what it was noted to be worth. */
export function conclude(
  view: View,
  given: { question: Question; pool: Pool; scores: Scores; evidence: Evidence },
  isCut: boolean,
): Decision {
  const { question, pool, evidence } = given;
  const scores = withNoiseDemoted(given.scores, question);
  const best = bestOf(scores);
  const answers = evidence.searches.filter(({ query }) => query === question.text).flatMap(({ chunks }) => chunks);
  const asked = new Set(answers.map(({ key }) => key));
  const shown = [...scores].map(
    ([item, score]): Candidate => ({
      id: item.chunk.shownId,
      document: item.chunk.shownDocumentId,
      score,
      justification: () => justify(item, question, pool, asked.has(item.chunk.key)),
    }),
  );
  const pruned = evidence.pruned.map(
    ({ shownId, shownDocumentId, worth }): Candidate => ({
      id: shownId,
      document: shownDocumentId,
      score: worth === undefined ? Number.NEGATIVE_INFINITY : NOTE_SHARE * scoreOf(worth, best),
      justification: () => "Weighed and pruned on the way.",
    }),
  );
  const entries = new Map<string, Pick<Candidate, "id" | "justification">>();
  const listedMin = (view.corpora ?? 1) > 1 ? LISTED_OF_SEVERAL : 1;
  for (const { id, document, score, justification } of [...shown, ...pruned].sort((a, b) => b.score - a.score)) {
    if (isCut && entries.size >= listedMin && probability(score - best) < LISTED_MIN) break;
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

/** How likely a document is needed that scores `gap` against the best one (at most 0). */
export function probability(gap: number): number {
  return 1 / (1 + Math.exp(-(CALIBRATION.atBest + CALIBRATION.perScore * gap)));
}

/** What the chunk says to the question, and how it was found where that is not by the question's own words. */
function justify(item: Item, question: Question, pool: Pool, isAnswer: boolean): string {
  const { text, headings, title } = item.chunk;
  const asked = { terms: question.terms, weight: (term: string) => pool.weight(term), termsOf: terms };
  const sentence = bestSentence(text, [title, ...headings], asked);
  const isFound = isAnswer || sentence.share > 0;
  if (sentence.text === "") return isFound ? "Found by the question itself." : "Reached by a name in another document.";
  return isFound ? reason({ sentence: sentence.text }) : `Reached by a name in another document: ${sentence.text}`;
}

/** What a document says must not end the element that it is quoted in, or begin another one. */
function withoutAngles(text: string): string {
  return text.replaceAll("<", "‹").replaceAll(">", "›");
}
