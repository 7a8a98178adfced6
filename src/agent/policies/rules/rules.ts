import type { Decision, Policy, ProposedCall, View } from "../../policy.ts";
import { type Evidence, noteOf, readEvidence } from "./evidence.ts";
import { type Step, steps } from "./follow.ts";
import { type Join, joinsToFollow, withJoins } from "./joins.ts";
import { conclude } from "./list.ts";
import { Pool } from "./pool.ts";
import { readPrior } from "./prior.ts";
import { itemsToPrune } from "./prune.ts";
import { type Question, readQuestion } from "./question.ts";
import { type Room, roomFor } from "./room.ts";
import { bestOf, ranked, type Scores, scoreItems, worthOf } from "./score.ts";
import { DEFAULT_RULES, type RulesSettings } from "./settings.ts";
import { spread } from "./spread.ts";

/** Times that the question itself is asked: each time the store goes on behind what was shown. */
const QUESTION_PAGES = 2;
/** Turns that search at most: a small window takes little in each. */
const SEARCH_TURNS_MAX = 16;
/** A lead weaker than this is not worth a search: on questions that one document answers, most leads are (docs/decisions/rules.md). */
const LEAD_MIN = 0.3;
/** The same for a lead out of what a lead has found and evidence has lifted: there a chain is open. */
const LEAD_MIN_DEEP = 0.15;
/** Chunks in all, after which a turn of searching is the last: more are seen than can be told apart. */
const SEEN_CHUNKS_MAX = 200;

/**
 * Searches without a model: asks the question, follows names that the best chunks bring up, prunes what
 * adds least when the window fills, stops when a turn brings nothing new among the best, and ranks what it can see. Its
 * only input is the view, so a smaller window costs it something; of what it prunes it keeps only the note that it
 * writes.
 */
export function rulesPolicy(settings: RulesSettings = DEFAULT_RULES): Policy {
  return {
    name: "rules",
    ignoresSeed: true,
    startsFromRanking: true,
    decide: async (view) => decideByRules(view, settings),
  };
}

function decideByRules(view: View, settings: RulesSettings): Decision {
  const question = readQuestion(view.query);
  const evidence = readEvidence(view.context);
  if (evidence.searches.length === 0 && !view.mustConclude)
    return { text: "Ask the question as it is.", calls: [search(question.text)] };
  const pool = new Pool(evidence.chunks.map(({ chunk }) => chunk));
  const reach = settings.bridge ? spread(question, pool) : undefined;
  const prior = readPrior(view, evidence);
  const scoring = { question, pool, prior, reach, ranker: settings.weights };
  const scores = withJoins(scoreItems(scoring));
  if (!view.mustConclude && isWorthGoingOn(view, evidence, scores)) {
    const room = roomFor(view, evidence);
    const leads = reach === undefined ? [] : steps(scoring, scores, reach);
    const pages = QUESTION_PAGES;
    const joins = offersJoins(view) ? joinsToFollow(scores, evidence) : [];
    const decision = nextCalls(question, evidence, { joins, leads, pages }, room);
    if (decision !== undefined) return withPruning(decision, view, evidence, scores, room);
  }
  return conclude(view, { ...scoring, scores, evidence }, settings.cut);
}

function search(query: string): ProposedCall {
  return { tool: "search_corpus", arguments: { query } };
}

/** A join, what fits the question best first. */
function follow({ key, value, isWhole }: Join, query: string): ProposedCall {
  return { tool: "follow_metadata", arguments: isWhole ? { key, value } : { key, value, query } };
}

/** False at a limit, and when the last turn put no chunk among those that would be returned. */
function isWorthGoingOn(view: View, evidence: Evidence, scores: Scores): boolean {
  const turns = view.context.messages.filter((message) => message.role === "assistant").length;
  if (turns >= SEARCH_TURNS_MAX || evidence.chunks.length + evidence.pruned.length >= SEEN_CHUNKS_MAX) return false;
  // A thread that was asked in vain is still to be read.
  if ((evidence.fruitless?.size ?? 0) > 0) return true;
  const fresh = new Set(evidence.last.flatMap(({ chunks }) => chunks.map((chunk) => chunk.key)));
  return ranked(scores)
    .slice(0, view.documentsMax)
    .some((item) => fresh.has(item.chunk.key));
}

const offersJoins = (view: View): boolean => view.tools.some(({ name }) => name === "follow_metadata");

/** Ways to go on. */
interface Ways {
  readonly joins: readonly Join[];
  readonly leads: readonly Step[];
  /** Times that the question itself may be asked. */
  readonly pages: number;
}

function nextCalls(
  question: Question,
  evidence: Evidence,
  { joins, leads, pages }: Ways,
  room: Room,
): Decision | undefined {
  if (room.searches === 0) return undefined;
  const followed = joins.slice(0, room.searches);
  const searches = room.searches - followed.length;
  const asked = new Set(evidence.searches.map((past) => past.query.toLowerCase()));
  const seen = evidence.searches.filter((past) => past.query === question.text).length;
  const worthy = leads.filter(
    ({ strength, isDeep, query }) => strength >= (isDeep ? LEAD_MIN_DEEP : LEAD_MIN) && !asked.has(query.toLowerCase()),
  );
  // Further hits of the question are read for the names in them; its ranking is known without.
  const queries: string[] = seen < pages && worthy.length > 0 ? [question.text] : [];
  const reasons = followed.map(({ value, from }) => `${value} (${from.chunk.shownId})`);
  for (const step of worthy) {
    if (queries.length >= searches) break;
    if (asked.has(step.query.toLowerCase())) continue;
    asked.add(step.query.toLowerCase());
    queries.push(step.query);
    reasons.push(`${step.name} (${step.from.chunk.shownId})`);
  }
  const calls = [...followed.map((join) => follow(join, question.text)), ...queries.slice(0, searches).map(search)];
  if (calls.length === 0) return undefined;
  const text = reasons.length === 0 ? "Go on behind the first hits." : `Follow ${reasons.join(", ")}.`;
  return { text, calls };
}

/** The decision with room made for what it brings, and a note of what the pruned chunks were worth. */
function withPruning(decision: Decision, view: View, evidence: Evidence, scores: Scores, room: Room): Decision {
  const items = itemsToPrune(view, evidence, scores, room.keepTokens);
  if (items.length === 0) return decision;
  const best = bestOf(scores);
  const note = noteOf(items.map((item) => worthOf(scores.get(item) ?? 0, best)));
  const prune = { tool: "prune_chunks", arguments: { chunk_ids: items.map((item) => item.chunk.shownId) } };
  return { text: `${note} ${decision.text ?? ""}`, calls: [prune, ...decision.calls] };
}
