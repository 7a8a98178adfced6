import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { harmonyPolicy } from "../agent/policies/harmony/harmony-policy.ts";
import { readRecord } from "../record/reader.ts";
import { answerOf, openTestCompletions, promptOf } from "../testing/harmony-fixture.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { startWireServer } from "../testing/wire-server.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { searchCorpora } from "./search-corpora.ts";

const corpora = [memoryCorpus("test", randomChunks(20, 2, wordCounter()))];
let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "winnow-history-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ["sampled", "sampled", true],
  ["rerendered", "rerendered", false],
  ["the profile's own", undefined, false],
] as const)("history %s: the record names it, and a malformed answer stays as it was or not", async (...given) => {
  const [, history, spliced] = given;
  // The channel of a call is another one in the published form, so written anew it has other ids.
  const odd = "<|channel|>analysis to=functions.search_corpus <|message|>{'query': 'amber',}";
  const server = await startWireServer({
    replies: [await answerOf(odd), await answerOf("<|channel|>final<|message|>Nothing.<|return|>")],
  });
  try {
    const run = await searchCorpora({
      question: "amber basin of the delta",
      corpora,
      profile: "context-1",
      policy: harmonyPolicy(openTestCompletions(server.baseUrl)),
      runsFolder: folder,
      limits: { turnsMax: 2 },
      ...(history === undefined ? {} : { history }),
    });
    const { recordPath } = await run.result;
    const { header, events } = await readRecord(recordPath ?? "");
    expect(header.profile).toMatchObject({ name: "context-1", history: spliced ? "sampled" : "rerendered" });
    const first = events.find((event) => event.type === "decision");
    const before = [...promptOf(server.requests[0]), ...(first?.tokens?.completion ?? [])];
    const kept = promptOf(server.requests[1]).slice(0, before.length).join() === before.join();
    expect(kept).toBe(spliced);
  } finally {
    await server.close();
  }
});
