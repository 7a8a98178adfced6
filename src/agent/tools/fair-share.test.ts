import { describe, expect, test } from "vitest";
import { loadTokenCounter } from "../../models/o200k-token-counter.ts";
import { startTestRun } from "../../testing/agent-fixture.ts";
import { memoryCorpus } from "../../testing/memory-corpus.ts";
import { randomChunks } from "../../testing/world.ts";
import { scriptedPolicy } from "../policies/scripted.ts";
import { chat, chatForModels } from "../profiles/chat.ts";
import { type Profile, withLimit } from "../profiles/profile.ts";
import { replayRecord } from "../replay-record.ts";

const counter = await loadTokenCounter();
const corpora = [memoryCorpus("test", randomChunks(60, 3, counter))];
const finish = { calls: [{ tool: "finish", arguments: { documents: [] } }] };

/** A small window in which nothing but the room of the turn bounds a call. */
function tight(profile: Profile): Profile {
  const sized = withLimit(profile, 8_192);
  return { ...sized, budget: { ...sized.budget, perCallHits: 10, perCallTokens: 4_096 } };
}

/** Tokens of chunks that each of these searches, made in one turn, was given; and what the window held then. */
async function shares(queries: readonly string[], profile = tight(chat)) {
  const calls = queries.map((query) => ({ tool: "search_corpus", arguments: { query } }));
  const { run, record } = startTestRun(scriptedPolicy([{ calls }, finish, finish]), { profile, corpora, counter });
  await run.result;
  const tokens = record().events.flatMap((event) =>
    event.type === "tool_result" && event.tool === "search_corpus"
      ? [event.chunks.reduce((total, chunk) => total + chunk.tokens, 0)]
      : [],
  );
  const used = [...replayRecord(record(), counter)][1]?.context.tokens ?? 0;
  return { tokens, used, profile };
}

describe("the room of a turn", () => {
  const eight = ["amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "haven"];

  test.each([
    ["chat", tight(chat)],
    ["chat for models", tight(chatForModels)],
  ])("%s: is shared by its searches, whichever comes first", async (_, profile) => {
    const { tokens, used } = await shares(eight, profile);
    expect(tokens).toHaveLength(8);
    expect(Math.min(...tokens)).toBeGreaterThan(0);
    // Chunks are whole, so shares differ by about one chunk.
    expect(Math.max(...tokens)).toBeLessThanOrEqual(3 * Math.min(...tokens));
    expect(used + profile.budget.reserveDecision).toBeLessThanOrEqual(profile.budget.limit);
  });

  test("rolls on to later searches where an earlier one finds nothing", async () => {
    const full = await shares(["amber", "basin", "cedar", "delta", "ember", "fjord"]);
    const half = await shares(["nothing", "like", "this", "delta", "ember", "fjord"]);
    expect(half.tokens.slice(0, 3)).toEqual([0, 0, 0]);
    const sum = (tokens: readonly number[]): number => tokens.slice(3).reduce((total, one) => total + one, 0);
    expect(sum(half.tokens)).toBeGreaterThan(1.3 * sum(full.tokens));
    expect(Math.max(...half.tokens)).toBeLessThanOrEqual(half.profile.budget.perCallTokens);
  });
});
