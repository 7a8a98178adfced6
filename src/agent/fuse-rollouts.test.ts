import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EndEvent, RecordedDocument, StopReason } from "../record/events.ts";
import { fuseDocuments, fusedEnd, summedUsage, usageSoFar } from "./fuse-rollouts.ts";

const numRuns = 200 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

const listed = (id: string, rest: Partial<RecordedDocument> = {}): RecordedDocument => ({
  corpus: "c",
  id,
  score: 1,
  justification: "",
  chunks: [`c\u0000${id}#0`],
  pruned: false,
  ...rest,
});

const usage = {
  turns: 2,
  toolCalls: 3,
  promptTokens: 100,
  completionTokens: 10,
  cachedTokens: 5,
  reusableTokens: 4,
  prunedChunks: 1,
  shownChunks: 7,
  seconds: 9,
  costUsd: null,
};

const ended = (
  stopReason: StopReason,
  concluded: EndEvent["concluded"],
  documents: readonly RecordedDocument[],
): EndEvent => ({ type: "end", seq: 1, at: 0, turn: 1, stopReason, concluded, outcome: "found", documents, usage });

const document = fc.record({
  corpus: fc.constantFrom("c", "b"),
  id: fc.constantFrom(..."uvwxyz"),
  score: fc.constant(1),
  justification: fc.constantFrom("", "because", "it says so"),
  chunks: fc.uniqueArray(fc.constantFrom("1", "2", "3"), { minLength: 1 }),
  pruned: fc.boolean(),
});
const list = fc.uniqueArray(document, { selector: ({ corpus, id }) => `${corpus}/${id}`, maxLength: 8 });
const end = fc
  .tuple(
    fc.constantFrom<StopReason>("finished", "max_turns", "timeout", "cost_limit", "policy_error", "cancelled"),
    fc.constantFrom<EndEvent["concluded"]>("policy", "forced", "from_record"),
    list,
  )
  .map(([reason, concluded, documents]) => ended(reason, concluded, documents));

describe("fuseDocuments", () => {
  it("adds 1 / (60 + rank), ties by id, cut to the length", () => {
    const lists = [
      [listed("b"), listed("a")],
      [listed("a"), listed("d")],
      [listed("c"), listed("d")],
    ];
    const fused = fuseDocuments(lists, 3);
    expect(fused.map(({ id }) => id)).toEqual(["a", "d", "b"]);
    expect(fused[0]?.score).toBeCloseTo(1 / 61 + 1 / 62, 12);
    expect(fuseDocuments(lists, 10).map(({ id }) => id)).toEqual(["a", "d", "b", "c"]);
  });

  it("says what the best rank says, has the chunks of all, and is pruned only where all pruned", () => {
    const fused = fuseDocuments(
      [
        [listed("x"), listed("a", { justification: "second", chunks: ["1", "2"], pruned: true })],
        [listed("a", { justification: "first", chunks: ["3", "2"], pruned: false })],
      ],
      10,
    );
    expect(fused[0]).toMatchObject({ id: "a", justification: "first", chunks: ["3", "2", "1"], pruned: false });
  });

  it("keeps documents of the same id in two corpora apart", () => {
    const fused = fuseDocuments([[listed("a")], [listed("a", { corpus: "b" })]], 10);
    expect(fused.map(({ corpus, id }) => `${corpus}/${id}`)).toEqual(["b/a", "c/a"]);
  });

  it("counts near-duplicates that any list names as one document, whose better place names the others", () => {
    const twin = [{ corpus: "c", id: "b" }];
    const lists = [
      [listed("a", { duplicates: twin, chunks: ["1"] }), listed("x")],
      [listed("y"), listed("b", { chunks: ["2"] })],
    ];
    const fused = fuseDocuments(lists, 10);
    expect(fused.map(({ id }) => id)).toEqual(["a", "y", "x"]);
    expect(fused[0]).toMatchObject({ duplicates: twin, chunks: ["1"] });
    expect(fused[0]?.score).toBeCloseTo(1 / 61 + 1 / 62, 12);
    expect(fused[1]).not.toHaveProperty("duplicates");
    expect(fuseDocuments([...lists].reverse(), 10)).toEqual(fused);
  });

  it("does not depend on the order of the lists; holds nothing twice and nothing that no list holds", () => {
    const lists = fc.array(list, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 12 }), fc.infiniteStream(fc.nat()), (given, documentsMax, picks) => {
        const fused = fuseDocuments(given, documentsMax);
        const shuffled = given
          .map((one) => ({ one, at: picks.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        expect(fuseDocuments(shuffled, documentsMax)).toEqual(fused);
        const names = fused.map(({ corpus, id }) => `${corpus}/${id}`);
        const all = new Set(given.flat().map(({ corpus, id }) => `${corpus}/${id}`));
        expect(new Set(names).size).toBe(names.length);
        expect(names.length).toBe(Math.min(documentsMax, all.size));
        for (const name of names) expect(all.has(name)).toBe(true);
      }),
      { numRuns, seed: 20_261 },
    );
  });
});

describe("fusedEnd", () => {
  it("leaves lists from the record out while a policy wrote one", () => {
    const fused = fusedEnd(
      [ended("policy_error", "from_record", [listed("noise")]), ended("finished", "policy", [listed("a")])],
      10,
    );
    expect(fused).toMatchObject({ stopReason: "finished", concluded: "policy", outcome: "found" });
    expect(fused.documents.map(({ id }) => id)).toEqual(["a"]);
  });

  it("an abstention of all that concluded is an abstention, whatever a broken rollout had seen", () => {
    const fused = fusedEnd([ended("timeout", "from_record", [listed("a")]), ended("finished", "policy", [])], 10);
    expect(fused).toMatchObject({ stopReason: "finished", outcome: "abstained", documents: [] });
  });

  it.each<[string, EndEvent[], Partial<EndEvent>]>([
    ["none", [], { stopReason: "policy_error", concluded: "from_record", outcome: "abstained" }],
    [
      "a limit beside a failure",
      [ended("policy_error", "from_record", []), ended("timeout", "from_record", [listed("a")])],
      { stopReason: "timeout", concluded: "from_record", outcome: "partial" },
    ],
    [
      "forced, beside a failure",
      [ended("policy_error", "from_record", []), ended("max_turns", "forced", [listed("a")])],
      { stopReason: "max_turns", concluded: "forced", outcome: "partial" },
    ],
    [
      "cancelled when one had finished",
      [ended("finished", "policy", [listed("a")]), ended("cancelled", "from_record", [])],
      { stopReason: "cancelled", concluded: "policy", outcome: "partial" },
    ],
  ])("%s", (_name, ends, expected) => {
    expect(fusedEnd(ends, 10)).toMatchObject(expected);
  });

  it("does not depend on the order of the rollouts, and never says found of an empty list", () => {
    fc.assert(
      fc.property(fc.array(end, { maxLength: 5 }), fc.nat(), (ends, turn) => {
        const fused = fusedEnd(ends, 5);
        const by = ends.length === 0 ? 0 : turn % ends.length;
        expect(fusedEnd([...ends.slice(by), ...ends.slice(0, by)].reverse(), 5)).toEqual(fused);
        expect(fused.outcome === "abstained").toBe(fused.documents.length === 0);
        if (fused.outcome === "found") expect(fused.stopReason).toBe("finished");
      }),
      { numRuns, seed: 20_262 },
    );
  });
});

describe("usage", () => {
  it("sums all but the time, and a cost only where there is one", () => {
    expect(summedUsage([usage, usage], 4)).toMatchObject({ turns: 4, promptTokens: 200, seconds: 4, costUsd: null });
    expect(summedUsage([usage, { ...usage, costUsd: 0.5 }], 4).costUsd).toBe(0.5);
  });

  it("of a rollout without an end is what stands on its record", () => {
    const decision = {
      type: "decision",
      seq: 1,
      at: 0,
      turn: 1,
      attempt: 1,
      promptHash: "",
      promptTokens: 50,
      maxTokens: 10,
      finishReason: "calls",
      calls: [],
      completionTokens: 5,
      usage: { promptTokens: 60, costUsd: 0.25 },
    } as const;
    const failed = { ...decision, seq: 2, attempt: 2, finishReason: "error" } as const;
    expect(usageSoFar([decision, failed])).toMatchObject({ turns: 1, promptTokens: 60, completionTokens: 5 });
    expect(usageSoFar([]).costUsd).toBeNull();
  });
});
