import { describe, expect, it } from "vitest";
import { WinnowError } from "../core/errors.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { replayPolicy } from "./policies/replay.ts";
import { type ScriptStep, scriptedPolicy } from "./policies/scripted.ts";
import { ContextLengthError, type Decision, type Policy } from "./policy.ts";
import { chat } from "./profiles/chat.ts";
import { context1 } from "./profiles/context-1.ts";
import { withLimit } from "./profiles/profile.ts";
import { replayRecord } from "./replay-record.ts";
import { newRunId, type RunEvent } from "./run.ts";

const search = (query: string): Decision => ({ calls: [{ tool: "search_corpus", arguments: { query } }] });
const grep = (pattern: string): Decision => ({ calls: [{ tool: "grep_corpus", arguments: { pattern } }] });
const finish = (...ids: string[]): Decision => ({
  calls: [{ tool: "finish", arguments: { documents: ids.map((id) => ({ id, justification: "because" })) } }],
});

describe("ids of runs", () => {
  it("sort by time to the millisecond, so that the newest of a busy second is listed first", () => {
    const ids = Array.from({ length: 200 }, (_, i) => newRunId(1_700_000_000_000 + i * 7));
    expect([...ids].sort()).toEqual(ids);
    expect(ids[1]).toMatch(/^20231114T221320007-[0-9a-f]{8}$/);
  });

  it("are never the same, however many runs begin in one millisecond", () => {
    const ids = Array.from({ length: 20_000 }, () => newRunId(1_700_000_000_000));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("events that nobody reads", () => {
  it("keep the lines of the record, and of the text that a model wrote no more than the last million characters", async () => {
    const babble: ScriptStep = (_view, { onDelta }) => {
      for (let i = 0; i < 20_000; i++) onDelta?.("reasoning", `${i} ${"x".repeat(1_000)}`);
      return search("amber basin");
    };
    const { run } = startTestRun(scriptedPolicy([babble, babble, finish("d1")]));
    await run.result;
    const events: RunEvent[] = [];
    for await (const event of run) events.push(event);
    const written = events.flatMap((event) => ("delta" in event ? [event.delta] : []));
    expect(written.join("").length).toBeLessThan(1_000_000);
    // The newest are there, and everything that is on record.
    expect(written.at(-1)?.startsWith("19999 ")).toBe(true);
    expect(events[0]?.type).toBe("header");
    const numbers = events.flatMap((event) => ("seq" in event ? [event.seq] : []));
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(events.at(-1)?.type).toBe("end");
  });
});

describe("stop reasons", () => {
  it("finished: the policy's list, ranked as given, unknown ids dropped", async () => {
    const { run } = startTestRun(scriptedPolicy([search("amber basin"), finish("d2", "d1.1", "d99")]));
    const result = await run.result;
    expect(result).toMatchObject({ stopReason: "finished", concluded: "policy", outcome: "found" });
    expect(result.documents).toHaveLength(2);
    expect(result.documents[0]?.justification).toBe("because");
    expect(result.notices.map((notice) => notice.code)).toContain("unknown_ids");
  });

  it("finished with an empty list is an abstention", async () => {
    const { run } = startTestRun(scriptedPolicy([search("amber"), finish()]));
    expect(await run.result).toMatchObject({ stopReason: "finished", outcome: "abstained", documents: [] });
  });

  it("an abstention in words needs its own element: plain text is asked again what it means", async () => {
    const text = (words: string): Decision => ({ text: words, calls: [] });
    const script = [search("amber"), text("Nothing supports this."), text("Then: <NoDocument/>")];
    const { run, record } = startTestRun(scriptedPolicy(script), { profile: context1 });
    expect(await run.result).toMatchObject({ stopReason: "finished", outcome: "abstained", documents: [] });
    const told = record().events.flatMap((event) => (event.type === "notice" ? [event.message] : []));
    expect(told.join()).toContain("<NoDocument/> when nothing supports the query");
  });

  it("max_turns: one forced attempt, then the record", async () => {
    const forced = startTestRun(scriptedPolicy([search("amber"), search("basin"), finish("d1")]), {
      limits: { turnsMax: 2 },
    });
    expect(await forced.run.result).toMatchObject({ stopReason: "max_turns", concluded: "forced", outcome: "partial" });
    const stubborn = startTestRun(scriptedPolicy([], search("amber")), { limits: { turnsMax: 3 } });
    const result = await stubborn.run.result;
    expect(result).toMatchObject({ stopReason: "max_turns", concluded: "from_record" });
    expect(result.documents.length).toBeGreaterThan(0);
  });

  it("budget_exhausted: refused turns in a row end the run, pruning reopens it", async () => {
    const queries = [
      "amber basin",
      "cedar delta",
      "ember fjord",
      "grove haven",
      "islet jetty",
      "knoll lagoon",
      "marsh north",
    ];
    const steps = queries.map(search);
    const { run, record } = startTestRun(scriptedPolicy(steps, search("oasis")), { profile: withLimit(chat, 4_096) });
    expect(await run.result).toMatchObject({ stopReason: "budget_exhausted" });
    const refused = record().events.filter(
      (event) => event.type === "tool_result" && event.error?.code === "budget_exceeded",
    );
    expect(refused.length).toBeGreaterThanOrEqual(3);
  });

  it("cancelled: within the turn, even when the policy never answers", async () => {
    const controller = new AbortController();
    const stuck: Policy = { name: "stuck", decide: () => new Promise(() => {}) };
    const { run } = startTestRun(stuck, { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    expect(await run.result).toMatchObject({ stopReason: "cancelled", concluded: "from_record" });
  });

  it("timeout", async () => {
    const stuck: Policy = { name: "stuck", decide: () => new Promise(() => {}) };
    const { run } = startTestRun(stuck, { limits: { timeoutMs: 20 } });
    expect(await run.result).toMatchObject({ stopReason: "timeout", outcome: "abstained" });
  });

  it("cost_limit", async () => {
    const dear: Decision = { ...search("amber"), usage: { costUsd: 0.6 } };
    const { run } = startTestRun(scriptedPolicy([], dear), { limits: { costUsdMax: 1 } });
    const result = await run.result;
    expect(result).toMatchObject({ stopReason: "cost_limit", concluded: "from_record" });
    expect(result.usage.costUsd).toBeCloseTo(1.2);
    expect(result.usage.turns).toBe(2);
  });

  it("policy_error: a failure that cannot be retried, with the message on record", async () => {
    const broken: Policy = {
      name: "broken",
      decide: () => Promise.reject(new WinnowError("policy_unavailable", "The server is down.")),
    };
    const { run, record } = startTestRun(broken);
    expect(await run.result).toMatchObject({ stopReason: "policy_error", error: { code: "policy_unavailable" } });
    expect(record().events[0]).toMatchObject({ type: "decision", finishReason: "error" });
  });

  it("retrieval_error: the store fails three turns in a row", async () => {
    const corpus = memoryCorpus("test", randomChunks(3, 1, wordCounter()));
    const failing = { ...corpus, find: () => Promise.reject(new Error("disk on fire")) };
    const { run, record } = startTestRun(scriptedPolicy([], search("amber")), { corpora: [failing] });
    expect(await run.result).toMatchObject({ stopReason: "retrieval_error" });
    const shown = record().events.find((event) => event.type === "tool_result");
    expect(JSON.stringify(shown)).not.toContain("disk on fire");
  });
});

describe("policies that misbehave", () => {
  const cases: [string, unknown][] = [
    ["null", null],
    ["a number", 7],
    ["calls that are no list", { calls: "search" }],
    ["an empty answer", { calls: [] }],
    ["a call without a tool", { calls: [{}] }],
    ["circular arguments", circular()],
    ["100 MB of text", { calls: [], text: "a".repeat(100_000_000) }],
    [
      "10,000 calls",
      { calls: Array.from({ length: 10_000 }, () => ({ tool: "search_corpus", arguments: { query: "amber" } })) },
    ],
  ];
  it.each(cases)("survives %s", async (_, decision) => {
    const { run, record } = startTestRun(scriptedPolicy([], decision as Decision), { limits: { turnsMax: 4 } });
    const result = await run.result;
    expect(["policy_error", "max_turns", "budget_exhausted"]).toContain(result.stopReason);
    expect(JSON.stringify(record()).length).toBeLessThan(5_000_000);
  });

  it("answers unknown tools, ids and bad arguments with an error that helps", async () => {
    const { run, record } = startTestRun(
      scriptedPolicy([
        {
          calls: [
            { tool: "serch_corpus", arguments: {} },
            { tool: "read_document", arguments: { doc_id: "nope" } },
          ],
        },
        {
          calls: [
            { tool: "search_corpus", arguments: {} },
            { tool: "prune_chunks", arguments: { chunk_ids: ["d7.1"] } },
          ],
        },
        finish(),
      ]),
    );
    await run.result;
    const texts = record().events.flatMap((event) =>
      event.type === "tool_result" ? [event.error?.message ?? event.message] : [],
    );
    expect(texts[0]).toContain('Did you mean "search_corpus"?');
    expect(texts[1]).toContain("There is no document nope");
    expect(texts.join("\n")).toContain('search_corpus needs a "query"');
    expect(texts.join("\n")).toContain("Not in your context: d7.1");
  });

  it("prunes everything and goes on", async () => {
    const pruneAll: Policy = scriptedPolicy([
      search("amber basin"),
      (view) => {
        const ids = view.context.messages.flatMap((message) =>
          message.blocks.flatMap((block) => block.chunk?.shownId ?? []),
        );
        return {
          calls: [
            { tool: "prune_chunks", arguments: { chunk_ids: ids } },
            { tool: "search_corpus", arguments: { query: "cedar" } },
          ],
        };
      },
      finish("d1"),
    ]);
    const { run } = startTestRun(pruneAll);
    const result = await run.result;
    expect(result.usage.prunedChunks).toBe(10);
    expect(result.documents[0]?.pruned).toBe(true);
  });

  it("makes one emergency edit when the server refuses the prompt as too long", async () => {
    let refusals = 0;
    const policy: Policy = scriptedPolicy([
      search("amber"),
      search("cedar"),
      () => {
        refusals++;
        throw new ContextLengthError("too long");
      },
      finish("d1"),
    ]);
    const { run, record } = startTestRun(policy);
    expect(await run.result).toMatchObject({ stopReason: "finished" });
    expect(refusals).toBe(1);
    expect(record().events.some((event) => event.type === "edit" && event.by === "emergency")).toBe(true);
  });
});

describe("calls of one turn", () => {
  it("packs parallel queries without repeats, each within its share", async () => {
    const calls = ["amber", "amber basin", "basin amber"].map((query) => ({
      tool: "search_corpus",
      arguments: { query },
    }));
    const { run, record } = startTestRun(scriptedPolicy([{ calls }, finish("d1")]));
    await run.result;
    const results = record().events.filter((event) => event.type === "tool_result");
    const keys = results.flatMap((event) => event.hits.map((hit) => hit.key));
    expect(new Set(keys).size).toBe(keys.length);
    expect(results.map((event) => event.hits.length)).toEqual([10, 10, 10]);
  });

  it("names chunks that grep finds again instead of repeating them", async () => {
    const { run, record } = startTestRun(scriptedPolicy([grep("Item 0-"), grep("Item 0-"), finish("d1")]));
    await run.result;
    const [first, second] = record().events.filter((event) => event.type === "tool_result");
    expect(first?.hits).toHaveLength(3);
    expect(second).toMatchObject({ hits: [], chunks: [] });
    expect(second?.alreadyShown).toHaveLength(3);
  });

  it("reads on from a chunk and shows a pruned chunk again only when it is read", async () => {
    const { run, record } = startTestRun(
      scriptedPolicy([
        grep("Item 0-0"),
        { calls: [{ tool: "prune_chunks", arguments: { chunk_ids: ["d1.1"] } }] },
        grep("Item 0-0"),
        { calls: [{ tool: "read_document", arguments: { doc_id: "d1" } }] },
        finish("d1"),
      ]),
    );
    await run.result;
    const results = record().events.filter((event) => event.type === "tool_result");
    expect(results[2]).toMatchObject({ hits: [] });
    expect(results[2]?.hiddenPruned).toHaveLength(1);
    expect(results[3]?.hits).toHaveLength(3);
    expect(results[3]?.chunks).toHaveLength(2);
  });
});

describe("what the caller rules out", () => {
  it("cannot be read by its id either", async () => {
    const counter = wordCounter();
    const corpora = [memoryCorpus("test", randomChunks(5, 1, counter))];
    const read = (id: string): Decision => ({ calls: [{ tool: "read_document", arguments: { doc_id: id } }] });
    const excluded = startTestRun(scriptedPolicy([read("doc-1"), finish("d1")]), { corpora, exclude: ["doc-1"] });
    expect((await excluded.run.result).documents).toEqual([]);
    const filtered = startTestRun(scriptedPolicy([read("doc-1"), finish("d1")]), { corpora, where: ["number=3"] });
    expect((await filtered.run.result).documents).toEqual([]);
    const open = startTestRun(scriptedPolicy([read("doc-1"), finish("d1")]), { corpora });
    expect((await open.run.result).documents).toHaveLength(1);
  });
});

describe("context-1", () => {
  it("takes the list from Document elements, quotes optional", async () => {
    const profile = { ...context1 };
    const policy = scriptedPolicy([
      search("amber basin"),
      (view) => {
        const ids = view.context.messages.flatMap((message) =>
          message.blocks.flatMap((block) => block.chunk?.shownId ?? []),
        );
        return {
          calls: [],
          text: `<Document id=${ids[1]}><Justification>one</Justification></Document>\n<Document id="${ids[0]}">`,
        };
      },
    ]);
    const { run } = startTestRun(policy, { profile });
    const result = await run.result;
    expect(result.documents.map((document) => document.justification)).toEqual(["one", ""]);
    expect(result.stopReason).toBe("finished");
  });

  it("uses virtual ids and freezes usage lines", async () => {
    const { run, record } = startTestRun(scriptedPolicy([search("amber"), search("cedar"), search("delta")]), {
      profile: context1,
    });
    await run.result;
    const contexts = [...replayRecord(record(), wordCounter())].map(({ context }) => context);
    const last =
      contexts
        .at(-1)
        ?.messages.map((message) => message.blocks.map((block) => block.text).join(""))
        .join("") ?? "";
    expect(last).toMatch(/# DOCUMENT ID: \d+_\d+ \(\d+ tokens\)/);
    expect(last.match(/\[Token usage: [\d,]+\/32,768\]/g)?.length).toBeGreaterThanOrEqual(3);
  });
});

it("replays a run against the same corpus to the same record", async () => {
  const steps = [
    search("amber basin"),
    { calls: [...search("cedar").calls, ...grep("Item 3").calls] },
    finish("d3", "d1"),
  ];
  const first = startTestRun(scriptedPolicy(steps));
  const result = await first.run.result;
  const second = startTestRun(replayPolicy(first.record()));
  expect(await second.run.result).toEqual({ ...result, usage: expect.anything() });
  const strip = (value: unknown): string =>
    JSON.stringify(value).replace(/"at":\d+|"seconds":[\d.]+|"policy":\{[^}]*\}/g, "");
  expect(strip(second.record())).toBe(strip(first.record()));
});

function circular(): unknown {
  const arguments_: Record<string, unknown> = {};
  arguments_["self"] = arguments_;
  return { calls: [{ tool: "search_corpus", arguments: arguments_ }] };
}
