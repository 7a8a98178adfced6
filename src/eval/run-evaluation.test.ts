import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Dataset, DatasetQuery } from "./dataset.ts";
import { readEvaluation } from "./evaluation-files.ts";
import type { SystemAnswer } from "./query-outcome.ts";
import { type EvaluateOptions, type EvaluationEvent, evaluate } from "./run-evaluation.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-evaluation-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const query = (id: string, gold: string[], answers: string[] = []): DatasetQuery => ({
  id,
  text: `question ${id}`,
  answers,
  gold: new Map(gold.map((document) => [document, 1])),
});

const dataset: Dataset = {
  name: "tiny",
  folder: "",
  corpusFile: "",
  hash: "0123456789abcdef",
  documents: 4,
  queries: [query("q1", ["a", "b"], ["forty"]), query("q2", ["c"]), query("q3", ["d"], ["nine"]), query("q4", ["a"])],
  notices: [],
  documentText: async (id) => (id === "a" ? "it was forty" : "other"),
};

const answer = (documents: string[], more: Partial<SystemAnswer> = {}): SystemAnswer => ({
  documents,
  seen: documents,
  pruned: [],
  turns: 2,
  toolCalls: 4,
  promptTokens: 100,
  completionTokens: 10,
  seconds: 0.5,
  stopReason: "finished",
  ...more,
});

const ANSWERS: Readonly<Record<string, SystemAnswer>> = {
  q1: answer(["a", "x", "y", "b"], { pruned: ["b", "z"] }),
  q2: answer(["c"], { seen: ["c", "x"] }),
  q4: answer(["x"], { seen: ["a", "x"] }),
};

function options(more: Partial<EvaluateOptions> = {}): EvaluateOptions {
  return {
    dataset,
    system: async ({ id }) => {
      const given = ANSWERS[id];
      if (given === undefined) throw new Error("the model\nwas away");
      return given;
    },
    folder,
    policy: "rules",
    profile: "chat",
    retrieval: "hybrid",
    k: 3,
    id: "e1",
    clock: { now: () => 1_700_000_000_000 },
    ...more,
  };
}

const results = () => join(folder, "e1", "results.jsonl");

describe("evaluate", () => {
  test("the row", async () => {
    const row = await evaluate(options()).result;
    // q1: list a x y; q2: c; q3: failed; q4: x.
    expect(row).toEqual({
      schema: "evaluation/1",
      evaluation: "e1",
      dataset: "tiny",
      policy: "rules",
      profile: "chat",
      retrieval: "hybrid",
      queries: 4,
      failed: 1,
      k: 3,
      listLength: (3 + 1 + 0 + 1) / 4,
      recall: (0.5 + 1) / 4,
      precision: (1 / 3 + 1) / 4,
      f1: (0.4 + 1) / 4,
      allGold: 1 / 4,
      answerFound: 1 / 2,
      trajectoryRecall: (1 + 1 + 0 + 1) / 4,
      pruneAccuracy: 0.5,
      prunes: 2 / 4,
      turns: 6 / 4,
      toolCalls: 12 / 4,
      promptTokens: 300 / 4,
      completionTokens: 30 / 4,
      seconds: 1.5 / 4,
      recallAt: { "2": 1.5 / 4, "5": 2 / 4, "10": 2 / 4, "30": 2 / 4 },
      allGoldAt: { "2": 1 / 4, "5": 2 / 4, "10": 2 / 4, "30": 2 / 4 },
      // q1 has one of two documents at rank 1 and the other at rank 4.
      ndcgAt: { "10": ((1 + 1 / Math.log2(5)) / (1 + 1 / Math.log2(3)) + 1) / 4 },
    });
    expect(Object.keys(row)).toEqual(
      "schema evaluation dataset policy profile retrieval queries failed k listLength recall precision f1 allGold answerFound trajectoryRecall pruneAccuracy prunes turns toolCalls promptTokens completionTokens seconds recallAt allGoldAt ndcgAt".split(
        " ",
      ),
    );
  });

  test("no answers and no prunes give null, not zero", async () => {
    const queries = [query("q2", ["c"])];
    const row = await evaluate(options({ dataset: { ...dataset, queries } })).result;
    expect([row.answerFound, row.pruneAccuracy]).toEqual([null, null]);
  });

  test("events come after what they tell of is on disk", async () => {
    const seen: EvaluationEvent[] = [];
    const evaluation = evaluate(options());
    for await (const event of evaluation) {
      seen.push(event);
      if (event.type === "query_end") {
        expect(await readFile(results(), "utf8")).toContain(`"query":"${event.outcome.query}"`);
      }
    }
    expect(seen[0]).toEqual({ type: "start", id: "e1", queries: 4, finished: 0 });
    expect(seen.filter((event) => event.type === "query_end").map((event) => event.finished)).toEqual([1, 2, 3, 4]);
    const failed = seen.find((event) => event.type === "query_end" && event.outcome.answer === null);
    expect(failed).toMatchObject({ outcome: { query: "q3", error: { code: "internal", message: "the model" } } });
  });

  test("the seed decides the order, concurrency how many at once", async () => {
    const orderOf = async (seed: number, id: string, concurrency: number) => {
      const order: string[] = [];
      let [now, most] = [0, 0];
      const system = async ({ id: each }: DatasetQuery) => {
        order.push(each);
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        now--;
        return answer([]);
      };
      await evaluate(options({ seed, id, concurrency, system })).result;
      return { order: order.join(" "), most };
    };
    const one = await orderOf(1, "a", 1);
    expect(await orderOf(1, "b", 1)).toEqual(one);
    expect(one.most).toBe(1);
    const others = await Promise.all([2, 3, 4].map((seed) => orderOf(seed, `c${seed}`, 3)));
    expect(others.every(({ most }) => most === 3)).toBe(true);
    expect(others.some(({ order }) => order !== one.order)).toBe(true);
  });

  test("goes on: finished queries are not run again, failed ones are, a torn line is dropped", async () => {
    const uninterrupted = await evaluate(options({ id: "whole" })).result;
    await evaluate(options()).result;
    // A crash in the middle of the last line.
    const bytes = await readFile(results());
    await truncate(results(), bytes.length - 20);
    const lost = JSON.parse(bytes.toString().trim().split("\n").at(-1) ?? "").query;
    const ran: string[] = [];
    const again = options();
    const system = async (each: DatasetQuery, signal: AbortSignal) => {
      ran.push(each.id);
      return again.system(each, signal);
    };
    expect(await evaluate(options({ system })).result).toEqual({ ...uninterrupted, evaluation: "e1" });
    expect(new Set(ran)).toEqual(new Set([lost, "q3"]));
    expect((await readEvaluation(join(folder, "e1")))?.outcomes.size).toBe(4);
    // Now q3 succeeds, and its later line wins.
    const healed = await evaluate(options({ system: async () => answer(["d"]) })).result;
    expect([healed.failed, healed.recall]).toEqual([0, uninterrupted.recall + 1 / 4]);
  });

  test("an evaluation from before nDCG opens without it, and has it once it is gone on with", async () => {
    const graded = {
      ...dataset,
      queries: [{ ...query("q1", ["a", "b"]), gold: new Map(Object.entries({ a: 1, b: 2 })) }],
    };
    const first = await evaluate(options({ dataset: graded })).result;
    const ideal = 2 + 1 / Math.log2(3);
    expect(first.ndcgAt?.["10"]).toBeCloseTo((1 + 2 / Math.log2(5)) / ideal, 12);
    const [stored] = (await readEvaluation(join(folder, "e1")))?.outcomes.values() ?? [];
    expect([stored?.gold, stored?.grades]).toEqual([
      ["a", "b"],
      [1, 2],
    ]);
    const { grades: _, ...old } = JSON.parse(await readFile(results(), "utf8"));
    delete old.scores.ndcgAt;
    await writeFile(results(), `${JSON.stringify(old)}\n`);
    const [before] = (await readEvaluation(join(folder, "e1")))?.outcomes.values() ?? [];
    expect(before).toEqual({ ...old, scores: { ...old.scores, ndcgAt: null } });
    const asked: string[] = [];
    const system = async ({ id }: DatasetQuery) => {
      asked.push(id);
      return answer([]);
    };
    expect(await evaluate(options({ dataset: graded, system })).result).toEqual(first);
    expect(asked).toEqual([]);
    expect((await readEvaluation(join(folder, "e1")))?.outcomes.get("q1")).toEqual(stored);
  });

  test("refuses to go on with other settings or a damaged file", async () => {
    await evaluate(options()).result;
    for (const other of [{ policy: "none" }, { k: 4 }, { dataset: { ...dataset, hash: "other" } }]) {
      const [field = ""] = Object.keys(other);
      await expect(evaluate(options(other)).result).rejects.toMatchObject({
        code: "invalid_argument",
        message: expect.stringContaining(field),
      });
    }
    await appendFile(results(), "not a result\n");
    await expect(evaluate(options()).result).rejects.toMatchObject({ code: "record_corrupt" });
    await writeFile(join(folder, "e1", "evaluation.json"), "{}");
    await expect(evaluate(options()).result).rejects.toMatchObject({ code: "record_corrupt" });
  });

  test("of two at once one runs, the other is told; a lock that is taken away stops the one that had it", async () => {
    const both = await Promise.allSettled([evaluate(options()).result, evaluate(options()).result]);
    const refused = both.flatMap((end) => (end.status === "rejected" ? [end.reason] : []));
    expect(refused).toMatchObject([{ code: "evaluation_locked", retryable: true }]);
    expect((await readFile(results(), "utf8")).trim().split("\n")).toHaveLength(4);
    expect(await readdir(join(folder, "e1"))).toEqual(["evaluation.json", "results.jsonl"]);
    let calls = 0;
    const system = async () => {
      if (++calls === 2) await writeFile(join(folder, "e2", "writer.lock"), "another's");
      return answer(["c"]);
    };
    await expect(evaluate(options({ id: "e2", system })).result).rejects.toMatchObject({ code: "evaluation_locked" });
    expect((await readEvaluation(join(folder, "e2")))?.outcomes.size).toBe(1);
  });

  test("cancelling keeps what was finished and blames no query", async () => {
    const controller = new AbortController();
    let calls = 0;
    const system = async (_: DatasetQuery, signal: AbortSignal) => {
      if (++calls === 3) {
        controller.abort();
        signal.throwIfAborted();
      }
      return answer(["c"]);
    };
    await expect(evaluate(options({ system, signal: controller.signal })).result).rejects.toMatchObject({
      code: "cancelled",
    });
    const stored = await readEvaluation(join(folder, "e1"));
    expect([...(stored?.outcomes.values() ?? [])].map(({ error }) => error)).toEqual([null, null]);
    await expect(evaluate(options({ signal: AbortSignal.abort() })).result).rejects.toMatchObject({
      code: "cancelled",
    });
  });

  test("an answer that cannot be stored is a failure", async () => {
    const row = await evaluate(options({ system: async () => answer(["c"], { seconds: Number.NaN }) })).result;
    expect([row.failed, row.recall, row.seconds]).toEqual([4, 0, 0]);
  });

  test.each([
    { k: 0 },
    { k: 1.5 },
    { concurrency: 0 },
    { concurrency: 65 },
    { seed: 0.5 },
    { id: "../up" },
    { id: "" },
  ])("refuses %j", async (wrong) => {
    await expect(evaluate(options(wrong)).result).rejects.toMatchObject({ code: "invalid_argument" });
  });

  test("a new id sorts by time", async () => {
    const { id: _, ...unnamed } = options();
    const evaluation = evaluate(unnamed);
    expect(evaluation.id).toMatch(/^20231114-221320-[0-9a-f]{6}$/);
    await evaluation.result;
  });
});
