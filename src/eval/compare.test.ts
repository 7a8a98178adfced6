import { describe, expect, test } from "vitest";
import { seededRandom } from "../core/clock.ts";
import { type CompareOptions, type Comparison, compare, type Difference } from "./compare.ts";
import type { EvaluationHeader, StoredEvaluation } from "./evaluation-files.ts";
import { failureScores, type QueryOutcome, scoreAnswer } from "./query-outcome.ts";

const header = (id: string, more: Partial<EvaluationHeader> = {}): EvaluationHeader => ({
  schema: "evaluation-header/1",
  id,
  startedAt: 0,
  dataset: "tiny",
  datasetHash: "aaaa",
  policy: id,
  profile: "none",
  retrieval: "lexical",
  k: 30,
  seed: 0,
  queries: 3,
  ...more,
});

type Answers = Readonly<Record<string, readonly string[] | null>>;

const GOLD: Readonly<Record<string, readonly string[]>> = { q1: ["a", "b"], q2: ["c"], q3: ["d", "e"] };

function outcome(query: string, documents: readonly string[] | null, gold: readonly string[], k: number): QueryOutcome {
  const labelled = { id: query, text: "?", answers: [], gold: new Map(gold.map((id) => [id, 1])) };
  const base = { query, at: 0, gold };
  if (documents === null) {
    return { ...base, answer: null, error: { code: "internal", message: "x" }, scores: failureScores(labelled) };
  }
  const work = { turns: 1, toolCalls: 1, promptTokens: 10 * documents.length, completionTokens: 0, seconds: 1 };
  const answer = { documents, seen: documents, pruned: [], ...work, stopReason: "finished" };
  return { ...base, answer, error: null, scores: scoreAnswer(answer, labelled, k, []) };
}

function evaluation(id: string, answers: Answers, more: Partial<EvaluationHeader> = {}): StoredEvaluation {
  const own = header(id, more);
  const outcomes = Object.entries(answers).map(([query, documents]) => {
    return [query, outcome(query, documents, GOLD[query] ?? ["g"], own.k)] as const;
  });
  return { header: own, outcomes: new Map(outcomes) };
}

const one = evaluation("one", { q1: ["a", "x", "b"], q2: ["x", "c"], q3: ["x", "y"] });
const two = evaluation("two", { q3: ["d", "e"], q1: ["a", "b", "y"], q2: ["x", "y"] });

const pair = (options: CompareOptions = {}, a = one, b = two) => compare([a, b], { resamples: 500, ...options });

const metricsOf = ({ comparisons }: Comparison): Readonly<Record<string, Difference>> => comparisons[0]?.metrics ?? {};

describe("compare", () => {
  test("hand-computed means, differences, wins and losses", () => {
    const result = pair();
    expect([result.schema, result.questions, result.at, result.confidence]).toEqual(["comparison/1", 3, null, 0.95]);
    const [first, second] = result.evaluations;
    expect(first?.means["recall@2"]?.mean).toBeCloseTo((0.5 + 1 + 0) / 3, 12);
    expect(second?.means["recall@2"]?.mean).toBeCloseTo((1 + 0 + 1) / 3, 12);
    expect(first?.means["promptTokens"]?.mean).toBeCloseTo(70 / 3, 12);
    const metrics = metricsOf(result);
    expect(metrics["recall@2"]).toMatchObject({ wins: 2, ties: 0, losses: 1, exact: true, better: "higher" });
    expect(metrics["recall@2"]?.difference).toBeCloseTo((0.5 - 1 + 1) / 3, 12);
    // Signs of 0.5, −1 and 1: sums of at least 0.5 in size in every assignment.
    expect(metrics["recall@2"]?.p).toBe(1);
    expect(metrics["promptTokens"]).toMatchObject({ difference: 0, wins: 0, ties: 3, losses: 0 });
    expect(Object.keys(metrics)).toEqual(
      "recall@2 recall@5 recall@10 recall@30 ndcg@10 allGold@30 recall allGold f1 trajectoryRecall listLength promptTokens seconds".split(
        " ",
      ),
    );
    expect(result.notices).toEqual([]);
  });

  test("fewer tokens are a win", () => {
    const cheap = evaluation("cheap", { q1: ["a"], q2: ["c"], q3: ["d"] });
    const metrics = metricsOf(pair({}, one, cheap));
    expect(metrics["promptTokens"]).toMatchObject({ better: "lower", wins: 3, losses: 0 });
    expect(metrics["promptTokens"]?.difference).toBeLessThan(0);
    expect(metrics["listLength"]).toMatchObject({ better: "none", wins: 0, losses: 3 });
  });

  test("swapping the sides mirrors everything", () => {
    const forth = metricsOf(pair());
    const back = metricsOf(pair({}, two, one));
    for (const [name, metric] of Object.entries(forth)) {
      const other = back[name];
      expect(other?.difference, name).toBeCloseTo(-metric.difference, 12);
      expect(other?.low, name).toBeCloseTo(-metric.high, 12);
      expect(other?.high, name).toBeCloseTo(-metric.low, 12);
      expect([other?.p, other?.wins, other?.losses], name).toEqual([metric.p, metric.losses, metric.wins]);
    }
  });

  test("the order of questions does not matter, the seed does", () => {
    const random = seededRandom(3);
    const answers = (): Answers =>
      Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`q${i + 10}`, random() < 0.5 ? ["g"] : ["x"]] as const));
    const [a, b] = [evaluation("a", answers(), { queries: 40 }), evaluation("b", answers(), { queries: 40 })];
    const reversed = { ...b, outcomes: new Map([...b.outcomes].reverse()) };
    expect(pair({}, a, reversed)).toEqual(pair({}, a, b));
    expect(pair({ seed: 1 }, a, b).comparisons).not.toEqual(pair({}, a, b).comparisons);
  });

  test("three evaluations: each against the first", () => {
    const result = compare([one, two, one], { resamples: 100 });
    expect(result.comparisons.map(({ baseline, evaluation: other }) => [baseline, other])).toEqual([
      ["one", "two"],
      ["one", "one"],
    ]);
    expect(result.comparisons[1]?.metrics["f1"]).toMatchObject({ difference: 0, low: 0, high: 0, p: 1, ties: 3 });
  });
});

describe("nDCG", () => {
  test("hand-computed, with grades that a cut keeps", () => {
    const graded = (id: string, documents: readonly string[]): StoredEvaluation => {
      const stored = evaluation(id, { q1: documents });
      const [first] = stored.outcomes.values();
      if (first?.answer == null) throw new Error("no outcome");
      const gold = new Map([
        ["a", 3],
        ["b", 1],
      ]);
      const scores = scoreAnswer(first.answer, { id: "q1", text: "?", answers: [], gold }, 30, []);
      return { ...stored, outcomes: new Map([["q1", { ...first, grades: [3, 1], scores }]]) };
    };
    const [a, b] = [graded("a", ["b", "a"]), graded("b", ["a", "x", "b"])];
    const ideal = 3 + 1 / Math.log2(3);
    const whole = pair({}, a, b);
    expect(whole.evaluations[0]?.means["ndcg@10"]?.mean).toBeCloseTo((1 + 3 / Math.log2(3)) / ideal, 12);
    expect(whole.evaluations[1]?.means["ndcg@10"]?.mean).toBeCloseTo((3 + 1 / 2) / ideal, 12);
    const cut = pair({ at: "shortest" }, a, b);
    expect(cut.evaluations[1]?.means["ndcg@10"]?.mean).toBeCloseTo(3 / ideal, 12);
    expect(Object.keys(metricsOf(pair({ at: 5 }, a, b)))).not.toContain("ndcg@10");
  });

  test("left out where an evaluation is from before it was measured", () => {
    const outcomes = [...one.outcomes].map(([id, each]): [string, QueryOutcome] => [
      id,
      { ...each, scores: { ...each.scores, ndcgAt: null } },
    ]);
    const old = { ...one, outcomes: new Map(outcomes) };
    for (const at of [undefined, 10, "shortest"] as const) {
      for (const comparison of [pair(at && { at }, old, two), pair(at && { at }, two, old)]) {
        expect(Object.keys(metricsOf(comparison))).not.toContain("ndcg@10");
        expect(metricsOf(comparison)["recall@2"]).toBeDefined();
        expect(comparison.evaluations[0]?.means["ndcg@10"]).toBeUndefined();
      }
    }
  });
});

describe("list lengths", () => {
  const long = evaluation("long", { q1: ["x", "a", "b"], q2: ["x", "y", "c"], q3: ["d"] });
  const short = evaluation("short", { q1: ["a"], q2: ["c", "x"], q3: ["d"] });

  test("unequal lists are told of", () => {
    const [notice] = pair({}, long, short).notices;
    expect(notice).toMatchObject({ code: "list_lengths_differ" });
    expect(notice?.message).toMatch(/NOT EQUALLY LONG in 2 questions of 3: 2\.3 \(long\), 1\.3 \(short\)/);
  });

  test("cut at a length: measures beyond it are gone, shorter lists are told of", () => {
    const result = pair({ at: 2 }, long, short);
    const metrics = metricsOf(result);
    expect(Object.keys(metrics)).not.toContain("recall@5");
    expect(Object.keys(metrics)).not.toContain("allGold@30");
    expect(result.evaluations[0]?.means["recall"]?.mean).toBeCloseTo((0.5 + 0 + 0.5) / 3, 12);
    expect(result.evaluations[0]?.means["listLength"]?.mean).toBeCloseTo(5 / 3, 12);
    expect(result.notices[0]?.message).toMatch(/--at shortest makes them equal/);
  });

  test("cut at each question's shortest: equal", () => {
    const result = pair({ at: "shortest" }, long, short);
    expect(result.evaluations.map(({ means }) => means["listLength"]?.mean)).toEqual([4 / 3, 4 / 3]);
    expect(result.evaluations[0]?.means["recall@30"]?.mean).toBeCloseTo((0 + 0 + 0.5) / 3, 12);
    expect(result.evaluations[1]?.means["recall@30"]?.mean).toBeCloseTo((0.5 + 1 + 0.5) / 3, 12);
    expect(result.notices).toEqual([]);
  });

  test("a failure or an empty list empties no other list", () => {
    const failing = evaluation("failing", { q1: null, q2: [], q3: ["d"] });
    const result = pair({ at: "shortest" }, long, failing);
    expect(result.evaluations[0]?.means["recall"]?.mean).toBeCloseTo((1 + 1 + 0.5) / 3, 12);
    expect(result.notices.map(({ code }) => code)).toEqual(["questions_failed", "list_lengths_differ"]);
  });

  test("what lies beyond the k of an evaluation is not judged", () => {
    const own = { q1: ["x", "a", "b"], q2: ["c"], q3: ["d", "e"] };
    const result = pair({ at: "shortest" }, evaluation("k1", own, { k: 1 }), evaluation("k3", own));
    expect(result.evaluations.map(({ means }) => means["listLength"]?.mean)).toEqual([1, 1]);
  });
});

describe("questions", () => {
  test("those that differ most come first, with what either found alone", () => {
    const [pairOfAll] = pair({ perQuestion: 10 }).comparisons;
    expect(pairOfAll?.questions.map(({ query }) => query)).toEqual(["q3", "q2", "q1"]);
    expect(pairOfAll?.questions[0]).toMatchObject({ onlyBaseline: [], onlyEvaluation: ["d", "e"] });
    expect(pairOfAll?.questions[1]).toMatchObject({ onlyBaseline: ["c"], onlyEvaluation: [] });
    expect(pairOfAll?.questions[2]?.values["recall@2"]).toEqual([0.5, 1]);
    expect(pair({ perQuestion: 1 }).comparisons[0]?.questions).toHaveLength(1);
    expect(pair().comparisons[0]?.questions).toEqual([]);
    expect(pair({ perQuestion: 10 }, one, one).comparisons[0]?.questions).toEqual([]);
  });

  test("missing ones are left out and told of", () => {
    const part = evaluation("part", { q1: ["a", "x", "b"] });
    const result = pair({}, one, part);
    expect(result.questions).toBe(1);
    expect(result.notices.map(({ message }) => message)).toEqual([
      "2 questions of one left out, not answered by all of the evaluations.",
      "2 questions of part left out, not answered by all of the evaluations.",
    ]);
    const other = evaluation("other", { q9: ["g"] });
    expect(() => pair({}, one, other)).toThrow(/No question has an outcome in all/);
  });

  test("those of another dataset are refused", () => {
    const other = evaluation("other", { q1: ["a"] }, { datasetHash: "bbbb", dataset: "else" });
    expect(() => pair({}, one, other)).toThrow(/one is of tiny \(aaaa\), other is of else \(bbbb\)/);
  });

  test.each<[StoredEvaluation[], CompareOptions]>([
    [[one], {}],
    [[], {}],
    [Array(21).fill(one), {}],
    [[one, two], { at: 0 }],
    [[one, two], { at: 1.5 }],
    [[one, two], { resamples: 0 }],
    [[one, two], { resamples: 1e9 }],
    [[one, two], { seed: 0.5 }],
  ])("refuses what cannot be compared", (evaluations, options) => {
    expect(() => compare(evaluations, options)).toThrow(expect.objectContaining({ code: "invalid_argument" }));
  });
});
