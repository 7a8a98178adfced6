import { afterEach, describe, expect, it, test } from "vitest";
import type { Policy } from "../agent/policy.ts";
import { sessionHeaders } from "../models/chat/session-header.ts";
import { KEY, refusal } from "../testing/chat-fixture.ts";
import { answerOf, searchFor } from "../testing/harmony-fixture.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { startWireServer, type WireReply, type WireServer } from "../testing/wire-server.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { choosePolicy } from "./choose-policy.ts";
import { searchCorpora } from "./search-corpora.ts";

const corpora = [memoryCorpus("test", randomChunks(20, 2, wordCounter()))];
const servers: WireServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const abstains: WireReply = { calls: [{ tool: "finish", arguments: { documents: [] } }] };
const looks: WireReply = { calls: [{ tool: "search_corpus", arguments: { query: "amber" } }] };

async function asked(kind: string, replies: readonly WireReply[], rollouts = 1) {
  const server = await startWireServer({ replies });
  servers.push(server);
  const access = { baseUrl: server.baseUrl, apiKeyEnv: "KEY", environment: { KEY } };
  const policy = (): Promise<Policy> => choosePolicy(`${kind}:m`, access);
  const question = { question: "amber basin of the delta", corpora, profile: "chat", policy, rollouts };
  const run = await searchCorpora({ ...question, limits: { turnsMax: 3 } });
  await run.result;
  return { runId: run.runId, sessions: server.requests.map(({ headers }) => headers["x-session-id"]) };
}

describe("a router can keep the requests of a run together", () => {
  it.each(["openai-compatible", "ollama"])("%s: every request names the run, tried again or not", async (kind) => {
    const busy = refusal(503, "busy", { "retry-after": "0" });
    const { runId, sessions } = await asked(kind, [looks, busy, abstains]);
    expect(sessions).toEqual([runId, runId, runId]);
  });

  it("harmony: every request names the run", async () => {
    const finish = await answerOf("<|channel|>final<|message|><NoDocument/><|return|>");
    const { runId, sessions } = await asked("harmony", [await answerOf(searchFor("amber")), finish]);
    expect(sessions.length).toBeGreaterThan(1);
    expect(new Set(sessions)).toEqual(new Set([runId]));
  });

  it("each rollout is a run of its own", async () => {
    const { runId, sessions } = await asked("openai-compatible", [abstains], 3);
    expect([...new Set(sessions)].sort()).toEqual([`${runId}.1`, `${runId}.2`, `${runId}.3`]);
  });

  it.each(["openai", "anthropic"])("%s is hosted and is told nothing", async (kind) => {
    const { sessions } = await asked(kind, [abstains]);
    expect(sessions.length).toBeGreaterThan(0);
    expect(new Set(sessions)).toEqual(new Set([undefined]));
  });
});

test("a run of any name gives a header that can be sent", () => {
  const kind = "openai-compatible";
  expect(sessionHeaders({ kind }, "täglich\r\nx-evil: 1")).toEqual({ "x-session-id": "t_glich__x-evil__1" });
  expect(sessionHeaders({ kind }, "a".repeat(500))["x-session-id"]).toHaveLength(128);
  expect(sessionHeaders({ kind }, undefined)).toEqual({});
});
