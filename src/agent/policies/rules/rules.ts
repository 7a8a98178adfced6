import type { Decision, Policy, ProposedCall, View } from "../../policy.ts";
import { type Evidence, readEvidence } from "./evidence.ts";
import { steps } from "./follow.ts";
import { type Item, Pool } from "./pool.ts";
import { originalWords, type Question, readQuestion } from "./question.ts";
import { scoreItems } from "./score.ts";

/** Names of the question that are searched for by themselves in the first turn. */
const NAMES_MAX = 4;
/** Searches of one turn: at most, and at least however small the window is. */
const SEARCHES_PER_TURN_MAX = 5;
const SEARCHES_PER_TURN_MIN = 2;
/** Times that the question itself is asked: each time the store goes on behind what was shown. */
const QUESTION_PAGES = 2;
/** Turns that search; a chain of four documents needs three of them. */
const SEARCH_TURNS_MAX = 4;
/** Chunks that a search brings, for planning. */
const CHUNKS_PER_SEARCH = 8;
/** Shares of the window: what the searches of one turn may bring, and how full it may be after them. */
const NEW_SHARE = 0.4;
const FILL_SHARE = 0.75;
/** Best chunks that are never pruned. */
const KEEP_MIN = 8;

/**
 * Searches without a model: splits the question into its names, follows names that the best chunks bring up, prunes what
 * adds least when the window fills, stops when a turn brings nothing new among the best, and ranks what it can see. Its
 * only input is the view, so a smaller window costs it something.
 */
export function rulesPolicy(): Policy {
  return { name: "rules", decide: async (view) => decideByRules(view) };
}

function decideByRules(view: View): Decision {
  const question = readQuestion(view.query);
  const evidence = readEvidence(view.context);
  if (evidence.searches.length === 0 && !view.mustConclude) return openingSearches(question);
  const pool = new Pool(evidence.chunks.map(({ chunk }) => chunk));
  const scores = scoreItems(question, pool, evidence);
  const turns = view.context.messages.filter((message) => message.role === "assistant").length;
  if (!view.mustConclude && turns < SEARCH_TURNS_MAX && isStillFinding(evidence, scores, view.documentsMax)) {
    const room = roomOf(view, evidence);
    const decision = nextSearches(question, pool, evidence, scores, room.searches);
    if (decision !== undefined) {
      return { ...decision, calls: [...pruneCalls(view, evidence, scores, room.keepTokens), ...decision.calls] };
    }
  }
  return finish(view, question, pool, scores, evidence);
}

/** How many searches the window has room for, and how many tokens may stay in it beside their results. */
function roomOf(view: View, evidence: Evidence): { readonly searches: number; readonly keepTokens: number } {
  const limit = view.context.tokens + view.maxTokens;
  const chunkTokens =
    evidence.chunks.reduce((sum, { tokens }) => sum + tokens, 0) / Math.max(1, evidence.chunks.length);
  const perSearch = Math.max(1, chunkTokens * CHUNKS_PER_SEARCH);
  const fitting = Math.floor((NEW_SHARE * limit) / perSearch);
  const searches = Math.max(SEARCHES_PER_TURN_MIN, Math.min(SEARCHES_PER_TURN_MAX, fitting));
  return { searches, keepTokens: FILL_SHARE * limit - searches * perSearch };
}

function search(query: string): ProposedCall {
  return { tool: "search_corpus", arguments: { query } };
}

function openingSearches(question: Question): Decision {
  const alone = question.names.filter((name) => name !== question.text).slice(0, NAMES_MAX);
  const text =
    alone.length === 0 ? "Ask the question as it is." : `Ask the question, and look for ${alone.join(", ")}.`;
  return { text, calls: [question.text, ...alone].map(search) };
}

/** True when the last turn put at least one chunk among those that would be returned. */
function isStillFinding(evidence: Evidence, scores: ReadonlyMap<Item, number>, documentsMax: number): boolean {
  const fresh = new Set(evidence.last.flatMap(({ chunks }) => chunks.map((chunk) => chunk.key)));
  return ranked(scores)
    .slice(0, documentsMax)
    .some((item) => fresh.has(item.chunk.key));
}

function nextSearches(
  question: Question,
  pool: Pool,
  evidence: Evidence,
  scores: ReadonlyMap<Item, number>,
  searchesMax: number,
): Decision | undefined {
  const asked = new Set(evidence.searches.map((past) => past.query.toLowerCase()));
  const pages = evidence.searches.filter((past) => past.query === question.text).length;
  const queries: string[] = pages < QUESTION_PAGES ? [question.text] : [];
  const reasons: string[] = [];
  for (const step of steps(question, pool, scores)) {
    if (queries.length >= searchesMax) break;
    if (asked.has(step.query.toLowerCase())) continue;
    asked.add(step.query.toLowerCase());
    queries.push(step.query);
    reasons.push(`${step.name} (${step.from.chunk.shownId})`);
  }
  if (queries.length === 0) return undefined;
  const text = reasons.length === 0 ? "Go on behind the first hits." : `Follow ${reasons.join(", ")}.`;
  return { text, calls: queries.map(search) };
}

/** Prunes the least relevant chunks until at most `keepTokens` are in use, the best ones excepted. */
function pruneCalls(
  view: View,
  evidence: Evidence,
  scores: ReadonlyMap<Item, number>,
  keepTokens: number,
): ProposedCall[] {
  if (!view.tools.some((tool) => tool.name === "prune_chunks")) return [];
  const tokens = new Map(evidence.chunks.map(({ chunk, tokens }) => [chunk.key, tokens]));
  const ids: string[] = [];
  let used = view.context.tokens;
  for (const item of ranked(scores).slice(KEEP_MIN).reverse()) {
    if (used <= keepTokens) break;
    used -= tokens.get(item.chunk.key) ?? 0;
    ids.push(item.chunk.shownId);
  }
  return ids.length === 0 ? [] : [{ tool: "prune_chunks", arguments: { chunk_ids: ids } }];
}

function ranked(scores: ReadonlyMap<Item, number>): Item[] {
  return [...scores].sort((a, b) => b[1] - a[1]).map(([item]) => item);
}

/** The list: what is in view by score, then what was pruned, since it was read and weighed once. */
function finish(
  view: View,
  question: Question,
  pool: Pool,
  scores: ReadonlyMap<Item, number>,
  evidence: Evidence,
): Decision {
  const entries = new Map<string, { readonly id: string; readonly justification: string }>();
  for (const item of ranked(scores)) {
    const { shownId: id, shownDocumentId } = item.chunk;
    if (!entries.has(shownDocumentId))
      entries.set(shownDocumentId, { id, justification: justify(item, question, pool) });
  }
  for (const { shownId: id, shownDocumentId } of evidence.pruned) {
    if (!entries.has(shownDocumentId))
      entries.set(shownDocumentId, { id, justification: "Weighed and pruned on the way." });
  }
  const documents = [...entries.values()].slice(0, view.documentsMax);
  if (view.tools.some((tool) => tool.name === "finish"))
    return { calls: [{ tool: "finish", arguments: { documents } }] };
  const elements = documents.map(
    ({ id, justification }) => `<Document id="${id}"><Justification>${justification}</Justification></Document>`,
  );
  return { text: elements.length === 0 ? "No document supports the query." : elements.join("\n"), calls: [] };
}

/** Words that a justification names. */
const WORDS_NAMED_MAX = 5;
/** A word that stands in more of what is in view than this tells nothing about any of it. */
const RARITY_TOLD_MIN = 0.12;

/** Says which telling words of the question stand in the chunk: all that can be said without understanding. */
function justify(item: Item, question: Question, pool: Pool): string {
  const shared = question.terms.filter((term) => item.counts.has(term) && pool.rarity(term) >= RARITY_TOLD_MIN);
  const words = originalWords(question, new Set(shared)).slice(0, WORDS_NAMED_MAX);
  return words.length === 0 ? "Reached by following a name from another document." : `Mentions ${words.join(", ")}.`;
}
