import type { Decision, Policy, View } from "../../agent/policy.ts";
import type { Library } from "../../agent/tools/retrieve.ts";
import type { Hit } from "../../core/types.ts";
import { type ChunkKey, chunkKey } from "../../retrieval/corpus-reader.ts";
import { arrange, gather, isOfTime, type QuestionOrder, timeNotice } from "./question-order.ts";

/** The policy whose final list is an order of what it was shown; a model has reasons for its own. */
const RANKING = "rules";

/** A question's order for one search: over what its queries find, and over the list that it ends with. */
export interface SearchOrder {
  readonly arrange: NonNullable<Library["arrange"]>;
  /** The same policy, which tells of the time that was understood once a document of it was found. */
  withOrder(policy: Policy): Policy;
}

export function searchOrder(order: QuestionOrder): SearchOrder {
  const seen = new Map<ChunkKey, Hit>();
  return {
    async arrange(hits, ask) {
      const arranged = arrange(order, await gather(order, hits, ask), (hit) => hit);
      for (const hit of arranged) seen.set(chunkKey(hit.corpus, hit.chunk.id), hit);
      return arranged;
    },
    withOrder: (policy) => ({
      name: policy.name,
      ...(policy.model === undefined ? {} : { model: policy.model }),
      ...(policy.ignoresSeed === undefined ? {} : { ignoresSeed: policy.ignoresSeed }),
      ...(policy.startsFromRanking && { startsFromRanking: true }),
      async decide(view, options) {
        const decision = await policy.decide(view, options);
        if ([...seen.values()].some((hit) => isOfTime(order, hit))) {
          for (const { code, message } of timeNotice(order)) options.onNotice?.(code, message);
        }
        return policy.name === RANKING ? ordered(decision, view, order, seen) : decision;
      },
    }),
  };
}

/** The decision with the documents of its `finish` in the question's order. */
function ordered(decision: Decision, view: View, order: QuestionOrder, seen: ReadonlyMap<ChunkKey, Hit>): Decision {
  const keys = new Map<string, ChunkKey>();
  for (const { shownId, key } of view.ranking ?? []) keys.set(shownId, key);
  for (const { blocks } of view.context.messages) {
    for (const { chunk } of blocks) if (chunk !== undefined) keys.set(chunk.shownId, chunk.key);
  }
  const hitOf = (entry: unknown): Hit | undefined => {
    const id = typeof entry === "object" && entry !== null && "id" in entry ? String(entry.id) : "";
    return seen.get(keys.get(id) ?? "");
  };
  const calls = decision.calls.map((call) => {
    const given = call.arguments;
    if (call.tool !== "finish" || typeof given !== "object" || given === null || !("documents" in given)) return call;
    const { documents } = given;
    return Array.isArray(documents)
      ? { ...call, arguments: { ...given, documents: arrange(order, documents, hitOf) } }
      : call;
  });
  return { ...decision, calls };
}
