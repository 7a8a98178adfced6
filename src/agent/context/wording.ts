import { type Profile, pruneBatchTokens } from "../profiles/profile.ts";
import { usageLine } from "./blocks.ts";

/** What a policy writes for an empty list where lists are Document elements: text without any is no conclusion. */
export const NO_DOCUMENT = "<NoDocument/>";

/** Over the soft limit: prune or conclude (reference: context-1.md §2.4, in our words). */
export function softNotice(used: number, profile: Profile): string {
  const line = usageLine(used, profile);
  if (profile.pruning !== "self-edit") {
    return `${line}\nYou are over your budget. Conclude soon: give the final list with what you have.`;
  }
  return `${line}
You are over your budget. Do not search, grep or read before you have pruned. Think first, then do one of two things:
1. Prune: weigh each chunk's tokens against what it adds, prune those that do not matter${batchWish(used, profile)}, then go on searching.
2. Conclude: give the final list, with every document that supports the query.`;
}

/** One large edit instead of several small ones, where the profile asks for it. */
function batchWish(used: number, profile: Profile): string {
  const batch = pruneBatchTokens(profile);
  const wanted = used - profile.budget.soft + batch;
  return batch === 0 ? "" : ` (at least ${wanted} tokens in one go: fewer, larger edits are cheaper)`;
}

/** A limit of the run was met: one more decision, and only a list counts. */
export function conclusionNotice(profile: Profile): string {
  const way = profile.conclusion === "finish_tool" ? "Call finish" : "Write the Document elements";
  return `The search ends here and no other tool will run. ${way} now, with every document that supports the query, best first.`;
}

/** After a message with neither a call nor a usable list. */
export function nudge(profile: Profile, hadList: boolean): string {
  if (hadList) return "None of the ids in your list is known. Use the ids that stand above the chunks.";
  const way =
    profile.conclusion === "finish_tool"
      ? "call finish"
      : `write the final list of Document elements, or ${NO_DOCUMENT} when nothing supports the query`;
  return `Your last message called no tool and gave no list. Call a tool, or ${way}.`;
}
