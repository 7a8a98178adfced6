import { expect, it } from "vitest";
import { scriptedPolicy } from "../agent/policies/scripted.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { repeatRun, verifyRecord } from "./replay-run.ts";

const counter = wordCounter();
const corpus = memoryCorpus("test", randomChunks(20, 2, counter));
const search = { calls: [{ tool: "search_corpus", arguments: { query: "amber basin" } }] };

it("repeats a run that was cut at a number of turns to the same prompts", async () => {
  const { run, record } = startTestRun(scriptedPolicy([], search), { corpora: [corpus], limits: { turnsMax: 2 } });
  expect(await run.result).toMatchObject({ stopReason: "max_turns" });
  const report = await repeatRun(record(), [corpus], counter, new AbortController().signal);
  expect(report).toMatchObject({ prompts: 3, differing: [] });
});

it("says that a record without an end is not complete, and calls nonsense damage", () => {
  const { run, record } = startTestRun(scriptedPolicy([search]), { corpora: [corpus] });
  return run.result.then(() => {
    const whole = record();
    expect(verifyRecord(whole, counter)).toMatchObject({ complete: true, differing: [] });
    expect(verifyRecord({ ...whole, events: whole.events.slice(0, -1) }, counter)).toMatchObject({ complete: false });
    const nonsense = { ...whole, header: { ...whole.header, profile: { name: "chat" } } };
    expect(() => verifyRecord(nonsense, counter)).toThrow(/damaged/);
  });
});
