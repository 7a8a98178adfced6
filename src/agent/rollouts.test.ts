import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WinnowError } from "../core/errors.ts";
import type { RecordLine } from "../record/events.ts";
import { type RunRecord, recordFromLines } from "../record/reader.ts";
import { memoryRecorder, type Recorder } from "../record/recorder.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { rulesPolicy } from "./policies/rules/rules.ts";
import { scriptedPolicy } from "./policies/scripted.ts";
import type { Decision, Policy } from "./policy.ts";
import { chat } from "./profiles/chat.ts";
import { replayRecord } from "./replay-record.ts";
import { toResult } from "./result.ts";
import { type RolloutsEvent, type RolloutsOptions, type RolloutsRun, startRollouts } from "./rollouts.ts";

const numRuns = 30 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const counter = wordCounter();
const chunks = randomChunks(40, 3, counter);

const search = (...queries: string[]): Decision => ({
  calls: queries.map((query) => ({ tool: "search_corpus", arguments: { query } })),
});
const finish = (...ids: string[]): Decision => ({
  calls: [{ tool: "finish", arguments: { documents: ids.map((id) => ({ id, justification: `why ${id}` })) } }],
});
const failing = (code: "policy_unavailable" | "policy_failed" = "policy_unavailable"): Policy => ({
  name: "failing",
  decide: () => Promise.reject(new WinnowError(code, "The server is down.")),
});
const stuck: Policy = { name: "stuck", decide: () => new Promise(() => {}) };

interface Started {
  readonly run: RolloutsRun;
  readonly records: ReadonlyMap<string, RecordLine[]>;
  record(id: string): RunRecord;
}

/** Starts rollouts over a small random corpus; `wrap` may replace the recorder of a run. */
function start(
  policies: readonly Policy[],
  options: Partial<RolloutsOptions> & {
    readonly corpus?: CorpusReader;
    readonly wrap?: (runId: string, recorder: Recorder) => Recorder;
  } = {},
): Started {
  const {
    corpus = memoryCorpus("test", chunks),
    wrap = (_: string, recorder: Recorder) => recorder,
    ...rest
  } = options;
  const records = new Map<string, RecordLine[]>();
  let now = Date.UTC(2026, 0, 1);
  const run = startRollouts({
    query: "amber basin of the delta",
    library: { corpora: [corpus], mode: "lexical", where: [], excludeDocuments: new Set() },
    corpora: [{ name: corpus.name, generation: 1, embedder: null }],
    steering: { where: [], exclude: [], known: [] },
    policies,
    profile: chat,
    counter,
    clock: { now: () => now++ },
    harness: "test",
    runId: "parent",
    recorderFor: (runId) => {
      const recorder = memoryRecorder();
      records.set(runId, recorder.lines);
      return wrap(runId, recorder);
    },
    ...rest,
  });
  return { run, records, record: (id) => recordFromLines(records.get(id) ?? []) };
}

async function eventsOf(run: RolloutsRun): Promise<RolloutsEvent[]> {
  const events: RolloutsEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

describe("temperature", () => {
  const seen: (number | undefined)[] = [];
  const watching = (): Policy => {
    const policy = scriptedPolicy([finish("d1")]);
    return {
      ...policy,
      decide(view, options) {
        seen.push(options.temperature);
        return policy.decide(view, options);
      },
    };
  };

  it.each([
    ["1 unless told", undefined, 1],
    ["what is told", 0.3, 0.3],
    ["none at all", 0, 0],
  ])("of rollouts is %s", async (_name, temperature, expected) => {
    seen.length = 0;
    await start([watching(), watching()], temperature === undefined ? {} : { temperature }).run.result;
    expect(new Set(seen)).toEqual(new Set([expected]));
  });
});

describe("startRollouts", () => {
  it("fuses the lists of its rollouts, sums what they used, and keeps a record of each that names the parent", async () => {
    const { run, records, record } = start([
      scriptedPolicy([search("amber"), finish("d1", "d2")]),
      scriptedPolicy([search("amber"), search("basin"), finish("d2", "d3")]),
    ]);
    const result = await run.result;
    expect(result).toMatchObject({ runId: "parent", stopReason: "finished", concluded: "policy", outcome: "found" });
    expect(result.usage).toMatchObject({ turns: 5, toolCalls: 3, costUsd: null });
    expect(result.documents).toHaveLength(3);
    expect(result.documents[0]).toMatchObject({ rank: 1, justification: "why d2" });
    for (const { passages } of result.documents) expect(passages.length).toBeGreaterThan(0);
    expect([...records.keys()]).toEqual(["parent", "parent.1", "parent.2"]);
    expect(record("parent").header.parent).toBeUndefined();
    expect(record("parent.1").header).toMatchObject({ parent: "parent", seed: 1 });
    expect(record("parent.2").header).toMatchObject({ parent: "parent", seed: 2 });
    const listing = result.notices.find(({ code }) => code === "rollouts");
    for (const id of ["parent.1", "parent.2"]) expect(listing?.message).toContain(id);
  });

  it("the parent's record alone gives the same result; the children's replay to the byte", async () => {
    const { run, record } = start([rulesPolicy(), rulesPolicy(), rulesPolicy()]);
    const result = await run.result;
    const { header, events } = record("parent");
    const end = events.at(-1);
    expect(end?.type === "end" && toResult(header, events, end, undefined)).toEqual(result);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
    for (const id of ["parent.1", "parent.2", "parent.3"]) {
      const decisions = [...replayRecord(record(id), counter)];
      expect(decisions.length).toBeGreaterThan(0);
      expect(decisions.every(({ same }) => same)).toBe(true);
    }
  });

  it("streams every line of every record with its run", async () => {
    const { run, records } = start([rulesPolicy(), rulesPolicy()]);
    const events = await eventsOf(run);
    for (const [id, lines] of records) {
      const streamed = events.filter((event) => event.runId === id && !event.type.endsWith("_delta"));
      expect(streamed).toEqual(lines.map((line) => ({ ...line, runId: id })));
    }
  });

  it("cuts the list to the length of a single run's", async () => {
    const lists = ["amber", "basin", "cedar"].map((word) =>
      scriptedPolicy([search(word), finish("d1", "d2", "d3", "d4")]),
    );
    const { run } = start(lists, { documentsMax: 4 });
    const { documents } = await run.result;
    expect(documents).toHaveLength(4);
    expect(documents.map(({ rank }) => rank)).toEqual([1, 2, 3, 4]);
  });

  it("the order of the rollouts does not matter to the list", async () => {
    const scripts = [
      () => scriptedPolicy([search("amber"), finish("d1", "d2", "d3")]),
      () => scriptedPolicy([search("basin"), finish("d1", "d2")]),
      () => scriptedPolicy([search("amber", "basin"), finish("d4", "d1")]),
      () => failing(),
    ];
    const forward = await start(scripts.map((make) => make())).run.result;
    const backward = await start([...scripts].reverse().map((make) => make())).run.result;
    expect(forward.documents.length).toBeGreaterThan(2);
    expect(backward.documents).toEqual(forward.documents);
  });

  it.each([0, 1, 17])("refuses %d policies", (count) => {
    expect(() => start(Array.from({ length: count }, () => rulesPolicy()))).toThrow(/2 to 16 rollouts/);
  });
});

describe("what makes rollouts differ", () => {
  it("the seed: another for each, another for each base seed, never 0", async () => {
    const seeds: number[] = [];
    const policy: Policy = {
      name: "seeded",
      decide: async (_, { seed }) => (seeds.push(seed) > 0 ? finish() : finish()),
    };
    for (const seed of [0, 1, 2]) await start(Array(16).fill(policy), { seed }).run.result;
    expect(new Set(seeds).size).toBe(48);
    expect(seeds).not.toContain(0);
  });

  it("the order of the searches, for a policy that no seed moves; the first rollout is the plain run", async () => {
    const policy = (): Policy => ({
      ...scriptedPolicy([search("amber", "basin", "cedar"), finish("d1")]),
      ignoresSeed: true,
    });
    const { run, record } = start([policy(), policy(), policy()]);
    await run.result;
    const firsts = ["parent.1", "parent.2", "parent.3"].map((id) => {
      const decision = record(id).events.find((event) => event.type === "decision");
      return JSON.stringify(decision?.type === "decision" && decision.calls[0]?.arguments);
    });
    expect(firsts).toEqual(['{"query":"amber"}', '{"query":"basin"}', '{"query":"cedar"}']);
  });

  it("tells when they decided alike, and only then", async () => {
    const same = () => scriptedPolicy([search("amber"), finish("d1")]);
    const alike = await start([same(), same()]).run.result;
    expect(alike.notices.map(({ code }) => code)).toContain("rollouts_alike");
    const other = await start([same(), scriptedPolicy([search("basin"), finish("d1")])]).run.result;
    expect(other.notices.map(({ code }) => code)).not.toContain("rollouts_alike");
  });
});

describe("what rollouts share", () => {
  it("searches: one query that all ask reaches the store once", async () => {
    const asked: string[] = [];
    const memory = memoryCorpus("test", chunks);
    const corpus: CorpusReader = {
      ...memory,
      find: (query) => {
        asked.push(query.text);
        return memory.find(query);
      },
    };
    const script = (word: string) => scriptedPolicy([search("amber"), search(word), finish("d1")]);
    await start([script("basin"), script("cedar"), script("basin")], { corpus }).run.result;
    expect(asked.sort()).toEqual(["amber", "basin", "cedar"]);
  });

  it("the cost limit: together they go over it by no more than one decision each", async () => {
    const dear = { ...search("amber"), usage: { costUsd: 0.1 } };
    const policies = Array.from({ length: 4 }, () => scriptedPolicy([], dear));
    const result = await start(policies, { limits: { costUsdMax: 1 } }).run.result;
    expect(result).toMatchObject({ stopReason: "cost_limit", concluded: "from_record", outcome: "partial" });
    expect(result.usage.costUsd).toBeGreaterThanOrEqual(1 - 1e-9);
    expect(result.usage.costUsd).toBeLessThanOrEqual(1.4 + 1e-9);
    expect(result.documents.length).toBeGreaterThan(0);
  });

  it("the cost limit: a cheap rollout may use what the others leave", async () => {
    const dear = { ...search("amber"), usage: { costUsd: 0.25 } };
    const cheap = scriptedPolicy([finish()]);
    const result = await start([cheap, scriptedPolicy([], dear)], { limits: { costUsdMax: 1 } }).run.result;
    expect(result.usage.costUsd).toBeCloseTo(1);
  });

  it("the time limit: those that are done count, the others are reported", async () => {
    const began = performance.now();
    const done = scriptedPolicy([search("amber"), finish("d1")]);
    const result = await start([stuck, done, stuck], { limits: { timeoutMs: 100 } }).run.result;
    expect(performance.now() - began).toBeLessThan(5_000);
    expect(result).toMatchObject({ stopReason: "finished", outcome: "found" });
    const early = result.notices.filter(({ code }) => code === "rollout_unfinished").map(({ message }) => message);
    expect(early).toEqual(["Rollout 1 of 3 ended early: timeout.", "Rollout 3 of 3 ended early: timeout."]);
    const none = await start([stuck, stuck], { limits: { timeoutMs: 50 } }).run.result;
    expect(none).toMatchObject({ stopReason: "timeout", outcome: "abstained" });
  });
});

describe("failures", () => {
  const good = (): Policy => scriptedPolicy([search("amber"), finish("d1", "d2")]);

  it("a policy that fails costs the others nothing", async () => {
    const alone = await start([good(), good()]).run.result;
    const result = await start([failing(), good(), good()]).run.result;
    expect(result.documents.map(({ id }) => id)).toEqual(alone.documents.map(({ id }) => id));
    expect(result).toMatchObject({ stopReason: "finished" });
    expect(result.error).toBeUndefined();
    expect(JSON.stringify(result.notices)).toContain("The server is down.");
  });

  it("nor does a record that can no longer be written in the middle of a rollout; what it spent counts", async () => {
    const dear = (decision: Decision): Decision => ({ ...decision, usage: { costUsd: 0.25 } });
    const script = () => scriptedPolicy([dear(search("amber")), dear(search("basin")), dear(finish("d1", "d2"))]);
    const full = (runId: string, recorder: Recorder): Recorder =>
      runId !== "parent.2"
        ? recorder
        : {
            ...recorder,
            append: (line) => {
              if (line.type === "decision" && line.turn === 2) throw new WinnowError("disk_full", "The disk is full.");
              recorder.append(line);
            },
          };
    const result = await start([script(), script()], { wrap: full }).run.result;
    expect(result).toMatchObject({ stopReason: "finished", outcome: "found" });
    expect(result.documents).toHaveLength(2);
    expect(result.usage).toMatchObject({ turns: 4, costUsd: 1 });
    expect(result.notices.map(({ message }) => message)).toContain("Rollout 2 of 2 ended early: The disk is full.");
  });

  it("nor a record that cannot be opened", async () => {
    const wrap = (runId: string, recorder: Recorder): Recorder => {
      if (runId === "parent.1") throw new Error("no permission");
      return recorder;
    };
    expect(await start([good(), good()], { wrap }).run.result).toMatchObject({ stopReason: "finished" });
  });

  it("all fail: a result with an error, and a record that says so", async () => {
    const { run, record } = start([failing(), failing(), failing()]);
    const result = await run.result;
    expect(result).toMatchObject({
      stopReason: "policy_error",
      concluded: "from_record",
      outcome: "abstained",
      documents: [],
      error: { code: "policy_unavailable" },
    });
    expect(result.error?.message).toContain("The server is down.");
    expect(record("parent").events.at(-1)).toMatchObject({ type: "end", stopReason: "policy_error" });
  });

  it("no rollout can write its record: the same", async () => {
    const wrap = (runId: string, recorder: Recorder): Recorder => {
      if (runId !== "parent") throw new WinnowError("disk_full", "The disk is full.");
      return recorder;
    };
    const result = await start([good(), good()], { wrap }).run.result;
    expect(result).toMatchObject({ stopReason: "policy_error", error: { code: "disk_full" } });
  });

  it("rejects when the parent's own record cannot be written", async () => {
    const wrap = (runId: string, recorder: Recorder): Recorder => ({
      ...recorder,
      append: (line) => {
        if (runId === "parent" && line.type === "end") throw new WinnowError("disk_full", "The disk is full.");
        recorder.append(line);
      },
    });
    const { run } = start([good(), good()], { wrap });
    await expect(run.result).rejects.toMatchObject({ code: "disk_full" });
    await eventsOf(run);
  });
});

describe("cancellation", () => {
  it("stops every rollout, even one whose policy never answers", async () => {
    const controller = new AbortController();
    const { run, record } = start([stuck, scriptedPolicy([], search("amber"))], { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    expect(await run.result).toMatchObject({ stopReason: "cancelled" });
    for (const id of ["parent", "parent.1"]) {
      expect(record(id).events.at(-1)).toMatchObject({ type: "end", stopReason: "cancelled" });
    }
  });

  it("at any event: every record ends, nothing is asked afterwards, and what had finished is listed", async () => {
    const words = ["amber", "basin", "cedar", "delta"];
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 45 }), fc.integer({ min: 2, max: 4 }), async (at, count) => {
        const controller = new AbortController();
        let ended = false;
        let late = 0;
        const scripts = Array.from({ length: count }, (_, i): Policy => {
          const steps = [...words.slice(i), ...words.slice(0, i)].slice(0, i + 1).map((word) => search(word));
          const inner = scriptedPolicy([...steps, finish("d1", "d2")]);
          return {
            name: "watched",
            decide: (view, options) => {
              if (ended) late++;
              return inner.decide(view, options);
            },
          };
        });
        const { run, records, record } = start(scripts, { signal: controller.signal });
        let seen = 0;
        for await (const _ of run) if (seen++ === at) controller.abort();
        const result = await run.result;
        ended = true;
        await new Promise((resolve) => setTimeout(resolve, 2));
        expect(late).toBe(0);
        const ends = [...records.keys()].map((id) => record(id).events.at(-1));
        for (const end of ends) expect(end?.type).toBe("end");
        const children = ends.slice(1).flatMap((end) => (end?.type === "end" ? [end] : []));
        const cancelled = children.some(({ stopReason }) => stopReason === "cancelled");
        expect(result.stopReason).toBe(cancelled ? "cancelled" : "finished");
        if (children.some(({ stopReason }) => stopReason === "finished"))
          expect(result.documents.length).toBeGreaterThan(0);
      }),
      { numRuns, seed: 20_264 },
    );
  });
});
