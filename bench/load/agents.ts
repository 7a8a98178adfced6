import { type ScriptStep, scriptedPolicy } from "../../src/agent/policies/scripted.ts";
import type { Policy, ProposedCall, View } from "../../src/agent/policy.ts";

/** Turns of a scripted agent, the one that concludes included. */
export const AGENT_TURNS = 6;
/** Of the window, at which a scripted agent prunes what is oldest. */
const PRUNE_FROM = 0.6;
/** Of what is in view, how much it prunes at once. */
const PRUNED_SHARE = 0.4;
const LISTED = 5;
/** Of the agents, those that grep, one in so many: a scan costs as much as many queries. */
const GREPPING = 4;

/**
 * An agent that works as a run does and needs no model: every turn it asks two questions of the list, from its own place
 * in it on; once it reads around a chunk, and some of them grep a word; it prunes what is oldest when the window fills, and
 * ends with a list of what it has in view.
 */
export function scriptedAgent(questions: readonly string[], place: number): Policy {
  const question = (i: number): string => questions[(place * 31 + i) % questions.length] ?? "";
  const step =
    (turn: number): ScriptStep =>
    (view) => {
      const calls: ProposedCall[] = [0, 1].map((i) => ({
        tool: "search_corpus",
        arguments: { query: question(2 * turn + i) },
      }));
      const ids = shownIds(view);
      if (turn === 2 && place % GREPPING === 0) {
        const [word = "the"] = question(turn).match(/[A-Z]\w{4,}/) ?? [];
        calls.push({ tool: "grep_corpus", arguments: { pattern: `\\b${word}\\b` } });
      }
      if (turn === 1 && ids.length > 0) {
        calls.push({ tool: "read_document", arguments: { doc_id: ids[turn % ids.length] } });
      }
      if (view.context.tokens > PRUNE_FROM * view.window.tokens) {
        calls.push({
          tool: "prune_chunks",
          arguments: { chunk_ids: ids.slice(0, Math.ceil(PRUNED_SHARE * ids.length)) },
        });
      }
      return { text: `Turn ${turn + 1}.`, calls };
    };
  const finish: ScriptStep = (view) => {
    const documents = shownIds(view)
      .slice(-LISTED)
      .map((id) => ({ id, justification: "In view at the end." }));
    return { calls: [{ tool: "finish", arguments: { documents } }] };
  };
  return scriptedPolicy([...Array.from({ length: AGENT_TURNS - 1 }, (_, turn) => step(turn)), finish]);
}

function shownIds(view: View): string[] {
  return view.context.messages.flatMap((message) => message.blocks.flatMap((block) => block.chunk?.shownId ?? []));
}
