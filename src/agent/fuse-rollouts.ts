import type { DocumentName } from "../core/types.ts";
import type { EndEvent, RecordEvent, RecordedDocument, RunUsage, StopReason } from "../record/events.ts";
import { compareIds, fuse } from "../retrieval/find/fuse.ts";
import { documentKeyOf } from "./context/id-book.ts";

/** The reason of the whole is the first of these that ended a rollout whose list counts. */
const REASONS: readonly StopReason[] = [
  "finished",
  "max_turns",
  "budget_exhausted",
  "timeout",
  "cost_limit",
  "retrieval_error",
  "policy_error",
];

/**
 * The end of a run of rollouts from the ends of those that reached one; their order does not matter. Lists that a policy
 * wrote (`policy`, `forced`) are fused; lists made from a record are ranked by less, so they count only when there is no
 * other. `concluded` is the best way in which a counted list came about. The stop reason is `cancelled` if any rollout
 * was cancelled, since only the caller can do that; else the first of `finished`, `max_turns`, `budget_exhausted`,
 * `timeout`, `cost_limit`, `retrieval_error`, `policy_error` that ended a rollout whose list counts; `policy_error`
 * where no rollout reached its end. The outcome is `abstained` for an empty list, `found` when the reason is `finished`,
 * else `partial`.
 */
export function fusedEnd(
  ends: readonly EndEvent[],
  documentsMax: number,
): Pick<EndEvent, "stopReason" | "concluded" | "outcome" | "documents"> {
  const written = ends.filter((end) => end.concluded !== "from_record");
  const counted = written.length > 0 ? written : ends;
  const documents = fuseDocuments(
    counted.map((end) => end.documents),
    documentsMax,
  );
  const cancelled = ends.some((end) => end.stopReason === "cancelled");
  const reached = REASONS.find((reason) => counted.some((end) => end.stopReason === reason)) ?? "policy_error";
  const stopReason = cancelled ? "cancelled" : reached;
  const byPolicy = counted.some((end) => end.concluded === "policy");
  const concluded = byPolicy ? "policy" : written.length > 0 ? "forced" : "from_record";
  const outcome = documents.length === 0 ? "abstained" : stopReason === "finished" ? "found" : "partial";
  return { stopReason, concluded, outcome, documents };
}

/**
 * Ranked lists of documents as one: reciprocal rank fusion over corpus and document id, cut to `documentsMax`. The
 * justification is that of the list which ranks the document best; its chunks come first, those of the other lists
 * follow; near-duplicates in different lists are one document. `pruned` only where every list says so. The order of the lists does not matter.
 */
export function fuseDocuments(
  lists: readonly (readonly RecordedDocument[])[],
  documentsMax: number,
): RecordedDocument[] {
  const sameAs = sharedNames(lists.flat());
  const nameOf = (document: RecordedDocument): string => sameAs.get(keyOf(document)) ?? keyOf(document);
  const keyed = lists.map((list) => firstByName(list, nameOf));
  const fused = fuse(keyed.map((list) => ({ ids: [...list.keys()] }))).slice(0, documentsMax);
  return fused.flatMap(({ id, score, ranks }) => {
    const entries = keyed.flatMap((list, i) => {
      const document = list.get(id);
      return document === undefined ? [] : [{ document, rank: ranks[i] ?? Number.POSITIVE_INFINITY }];
    });
    entries.sort((a, b) => a.rank - b.rank || compareContent(a.document, b.document));
    const [best] = entries;
    if (best === undefined) return [];
    const { corpus, id: documentId, justification } = best.document;
    const own = entries.filter(({ document }) => keyOf(document) === keyOf(best.document));
    const chunks = [...new Set(own.flatMap(({ document }) => document.chunks))];
    const pruned = entries.every(({ document }) => document.pruned);
    const duplicates = otherNames(best.document, entries);
    const named = duplicates.length === 0 ? {} : { duplicates };
    return [{ corpus, id: documentId, score, justification, chunks, pruned, ...named }];
  });
}

/** Of near-duplicates in one list the first stands. */
function firstByName(list: readonly RecordedDocument[], nameOf: (document: RecordedDocument) => string) {
  const first = new Map<string, RecordedDocument>();
  for (const document of list) if (!first.has(nameOf(document))) first.set(nameOf(document), document);
  return first;
}

/** One name for documents that any list calls near-duplicates: the first of their keys. */
function sharedNames(documents: readonly RecordedDocument[]): ReadonlyMap<string, string> {
  const groups = new Map<string, Set<string>>();
  for (const document of documents) {
    const keys = [document, ...(document.duplicates ?? [])].map(keyOf);
    if (keys.length === 1) continue;
    const joined = new Set(keys.flatMap((key) => [key, ...(groups.get(key) ?? [])]));
    for (const key of joined) groups.set(key, joined);
  }
  return new Map([...groups].map(([key, group]) => [key, [...group].sort(compareIds)[0] ?? key]));
}

/** What the entries of one place name besides the document that takes it, each once. */
function otherNames(kept: RecordedDocument, entries: readonly { readonly document: RecordedDocument }[]) {
  const named = entries.flatMap(({ document }) => [document, ...(document.duplicates ?? [])]);
  const others = new Map(named.map(({ corpus, id }) => [keyOf({ corpus, id }), { corpus, id }]));
  others.delete(keyOf(kept));
  return [...others].sort(([a], [b]) => compareIds(a, b)).map(([, name]) => name);
}

function keyOf({ corpus, id }: DocumentName): string {
  return documentKeyOf({ corpus, documentId: id });
}

/** Orders entries of one document at the same rank by what they say, so that it does not matter which list came first. */
function compareContent(a: RecordedDocument, b: RecordedDocument): number {
  return (
    Number(a.pruned) - Number(b.pruned) ||
    Number(a.justification === "") - Number(b.justification === "") ||
    compareIds(a.justification, b.justification) ||
    compareIds(JSON.stringify(a.chunks), JSON.stringify(b.chunks)) ||
    compareIds(keyOf(a), keyOf(b))
  );
}

/** Sums of all but the time, which the rollouts spent side by side. The cost is null when no rollout has a price. */
export function summedUsage(usages: readonly RunUsage[], seconds: number): RunUsage {
  const sum = (of: (usage: RunUsage) => number): number => usages.reduce((total, usage) => total + of(usage), 0);
  const priced = usages.some((usage) => usage.costUsd !== null);
  return {
    turns: sum((usage) => usage.turns),
    toolCalls: sum((usage) => usage.toolCalls),
    promptTokens: sum((usage) => usage.promptTokens),
    completionTokens: sum((usage) => usage.completionTokens),
    cachedTokens: sum((usage) => usage.cachedTokens),
    reusableTokens: sum((usage) => usage.reusableTokens),
    prunedChunks: sum((usage) => usage.prunedChunks),
    shownChunks: sum((usage) => usage.shownChunks),
    seconds,
    costUsd: priced ? sum((usage) => usage.costUsd ?? 0) : null,
  };
}

/** What a rollout without an end had used by its last recorded event; nothing for what only an end knows. */
export function usageSoFar(events: readonly RecordEvent[]): RunUsage {
  const decisions = events.filter((event) => event.type === "decision");
  const costs = decisions.flatMap(({ usage }) => usage?.costUsd ?? []);
  const answered = decisions.filter((decision) => decision.finishReason !== "error");
  const sum = (of: (decision: (typeof decisions)[number]) => number): number =>
    answered.reduce((total, decision) => total + of(decision), 0);
  return {
    turns: new Set(decisions.map((decision) => decision.turn)).size,
    toolCalls: events.filter((event) => event.type === "tool_result").length,
    promptTokens: sum((decision) => decision.usage?.promptTokens ?? decision.promptTokens),
    completionTokens: sum((decision) => decision.usage?.completionTokens ?? decision.completionTokens),
    cachedTokens: sum((decision) => decision.usage?.cachedTokens ?? 0),
    reusableTokens: 0,
    prunedChunks: events.reduce((total, event) => total + (event.type === "edit" ? event.pruned.length : 0), 0),
    shownChunks: events.reduce((total, event) => total + (event.type === "tool_result" ? event.chunks.length : 0), 0),
    seconds: 0,
    costUsd: costs.length === 0 ? null : costs.reduce((total, cost) => total + cost, 0),
  };
}
