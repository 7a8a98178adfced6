import { describe, expect, it } from "vitest";
import type { Chunk, Metadata } from "../../core/types.ts";
import { startTestRun } from "../../testing/agent-fixture.ts";
import { memoryCorpus } from "../../testing/memory-corpus.ts";
import { wordCounter } from "../../testing/word-counter.ts";
import { messageText } from "../context/rendered.ts";
import { rulesPolicy } from "../policies/rules/rules.ts";
import { scriptedPolicy } from "../policies/scripted.ts";
import type { Policy, View } from "../policy.ts";
import { chatWithJoins } from "../profiles/chat.ts";

const counter = wordCounter();
function chunk(id: string, text: string, metadata: Metadata): Chunk {
  const place = { index: 0, count: 1, start: 0, end: text.length, line: 1 };
  const tokens = counter.count(`${text.trim()}\n\n`);
  return { id, documentId: id, ...place, text, tokens, title: id, headings: [], uri: id, metadata };
}

const traces = memoryCorpus("traces", [
  chunk("trace-1", "npm publish failed with error E403 forbidden.", {
    session_id: "s-7",
    is_error: true,
    timestamp: "2026-05-02T10:00:00Z",
  }),
  ...Array.from({ length: 12 }, (_, n) => chunk(`trace-x${n}`, `Read file number ${n}.`, { session_id: `s-x${n}` })),
]);
const sessions = memoryCorpus("sessions", [
  chunk("turn-2", "We scoped the token to the package and it went through.", {
    session_id: "s-7",
    timestamp: "2026-05-02T10:05:00Z",
  }),
  chunk("turn-1", "Let us look at the registry.", { session_id: "s-7", timestamp: "2026-05-02T10:01:00Z" }),
  ...Array.from({ length: 30 }, (_, n) =>
    chunk(`turn-x${n}`, `Talk ${n} on other npm things.`, { session_id: `s-x${n}` }),
  ),
]);
const corpora = [traces, sessions];

/** Runs a policy and keeps what it was shown. */
async function shown(policy: Policy, query: string, options: { exclude?: readonly string[] } = {}) {
  const views: View[] = [];
  const watched: Policy = {
    ...policy,
    async decide(view, decideOptions) {
      views.push(view);
      return policy.decide(view, decideOptions);
    },
  };
  const { run, record } = startTestRun(watched, { corpora, profile: chatWithJoins, query, ...options });
  const result = await run.result;
  return { result, record: record(), views };
}

const call = (tool: string, values: object) => ({ calls: [{ tool, arguments: values }] });
const finish = call("finish", { documents: [] });

describe("follow_metadata", () => {
  it("shows what shares the value in every corpus, oldest first, with the metadata that makes it a join", async () => {
    const join = call("follow_metadata", { key: "session_id", value: "s-7" });
    const { record, views } = await shown(scriptedPolicy([join, finish]), "publish");
    const result = record.events.find((event) => event.type === "tool_result");
    expect(result?.chunks.map(({ id }) => id)).toEqual(["trace-1", "turn-1", "turn-2"]);
    const text = views.at(-1)?.context.messages.map(messageText).join("") ?? "";
    expect(text).toContain("timestamp=2026-05-02; session_id=s-7; is_error=true\n");
  });

  it("puts what fits a query first, and repeats nothing that stands in the context", async () => {
    const best = call("follow_metadata", { key: "session_id", value: "s-7", query: "token package" });
    const all = call("follow_metadata", { key: "session_id", value: "s-7" });
    const { record } = await shown(scriptedPolicy([best, all, finish]), "publish");
    const [first, second] = record.events.filter((event) => event.type === "tool_result");
    expect(first?.chunks[0]?.id).toBe("turn-2");
    expect(second?.alreadyShown).toContain("sessions\u0000turn-2");
    expect(second?.chunks.map(({ id }) => id)).not.toContain("turn-2");
  });

  it("answers a key that no document has, and arguments that are none", async () => {
    const bad = call("follow_metadata", { key: "sesion_id", value: "s-7" });
    const { record } = await shown(scriptedPolicy([bad, call("follow_metadata", { key: "session_id" }), finish]), "x");
    const [unknown, missing] = record.events.flatMap((event) => (event.type === "tool_result" ? [event.error] : []));
    expect(unknown?.message).toContain('Did you mean "session_id"?');
    expect(missing?.message).toContain('needs a "key" and a "value"');
  });

  it("keeps to what the caller ruled out", async () => {
    const join = call("follow_metadata", { key: "session_id", value: "s-7" });
    const { record } = await shown(scriptedPolicy([join, finish]), "publish", { exclude: ["turn-1"] });
    const result = record.events.find((event) => event.type === "tool_result");
    expect(result?.chunks.map(({ id }) => id)).toEqual(["trace-1", "turn-2"]);
  });
});

describe("rules", () => {
  it("follow a failing call into the session that mended it, which shares no word with the question", async () => {
    const { result, record } = await shown(rulesPolicy(), "How was the error E403 forbidden of npm publish fixed?");
    expect(record.events.some((event) => event.type === "tool_result" && event.tool === "follow_metadata")).toBe(true);
    const ids = result.documents.map(({ id }) => id);
    expect(ids).toContain("trace-1");
    expect(ids.slice(0, 4)).toContain("turn-2");
  });
});
