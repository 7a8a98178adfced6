import { expect, test } from "vitest";
import { hasNearCopy } from "../../bench/search-quality/near-copies.ts";
import { reportText } from "../../bench/search-quality/report.ts";
import type { QualitySet } from "../../bench/search-quality/sets.ts";
import { interval, type Spread } from "../../bench/search-quality/tables.ts";
import {
  bestAt,
  droppedFirst,
  failures,
  isHeld,
  type SetFigures,
  verdictText,
} from "../../bench/search-quality/verdict.ts";

const METRICS = ["recall@2", "recall@5", "recall@10", "recall@30", "ndcg@10"];
const spread = (difference: number, low = difference, high = difference): Spread => ({ difference, low, high });

function figures(more: Partial<SetFigures> = {}): SetFigures {
  const against = METRICS.map((metric) => [metric, { ...spread(0), best: "find:hybrid" }] as const);
  const ownList = Object.fromEntries(METRICS.map((metric) => [metric, spread(0)]));
  return { set: "a", questions: 100, againstBest: Object.fromEntries(against), ownList, dropped: [], ...more };
}

test.each<[number, number, boolean]>([
  [0.1, 0.05, true],
  [-0.01, -0.03, true],
  [-0.0101, -0.02, false],
  [0, -0.0301, false],
  [0.2, -0.04, false],
])("a difference of %d from %d holds: %s", (difference, low, holds) => {
  expect(isHeld(spread(difference, low))).toBe(holds);
  const againstBest = { ...figures().againstBest, "ndcg@10": { ...spread(difference, low), best: "find:dense" } };
  const failed = failures(figures({ againstBest }));
  expect(failed).toHaveLength(holds ? 0 : 1);
  if (!holds) expect(failed[0]).toMatch(/^ndcg@10 [+−].* against find:dense$/);
});

test("a bound that is met exactly holds, however its sum was rounded", () => {
  const tenth =
    Array.from({ length: 300 }, (_, i): number => (i < 30 ? -0.1 : 0)).reduce((sum, value) => sum + value, 0) / 300;
  expect(tenth).toBeLessThan(-0.01);
  expect(isHeld(spread(tenth))).toBe(true);
});

test("the own list may lose a little at 5 and 10, whatever it loses elsewhere", () => {
  const losing = (at5: number, at10: number) =>
    failures(figures({ ownList: { ...figures().ownList, "recall@5": spread(at5), "recall@10": spread(at10) } }));
  expect(losing(-0.01, -0.02)).toEqual([]);
  expect(losing(-0.011, -0.02)).toEqual(["own list recall@5 −0.011 where −0.010 is allowed"]);
  expect(losing(-0.011, -0.021)).toHaveLength(2);
  expect(failures(figures({ ownList: { ...figures().ownList, "recall@30": spread(-0.5) } }))).toEqual([]);
});

test("the own list may lack none of the first three documents of the question", () => {
  const answered = (lists: Readonly<Record<string, readonly string[] | null>>) =>
    new Map(
      Object.entries(lists).map(([id, documents]) => {
        const work = {
          turns: 1,
          toolCalls: 1,
          promptTokens: 0,
          completionTokens: 0,
          seconds: 0,
          stopReason: "finished",
        };
        return [id, { answer: documents && { documents, seen: documents, pruned: [], ...work } }] as const;
      }),
    );
  const asked = answered({ q1: ["a", "a", "b", "c", "d"], q2: ["a", "b"], q3: ["a", "b", "c"], q4: [], q5: ["a"] });
  const own = answered({ q1: ["x", "c", "b", "a"], q2: ["b", "a"], q3: ["a", "b", "d"], q4: ["z"], q5: null });
  const dropped = droppedFirst(asked, own);
  expect([...dropped]).toEqual([
    ["q3", ["c"]],
    ["q5", ["a"]],
  ]);
  expect(failures(figures({ dropped: [...dropped.keys()], questions: 5 }))).toEqual([
    "own list without one of the first 3 in 2 of 5 questions",
  ]);
});

test("the best single query is chosen measure by measure, the first of equal ones", () => {
  const mean = (value: number) => ({ mean: value, low: value, high: value });
  const means = {
    "find:hybrid": { "recall@2": mean(0.5), "recall@5": mean(0.6) },
    "find:lexical": { "recall@2": mean(0.5 + 1e-12), "recall@5": mean(0.5) },
    "find:dense": { "recall@2": mean(0.4), "recall@5": mean(0.61) },
  };
  expect(bestAt("recall@2", means)).toBe("find:hybrid");
  expect(bestAt("recall@5", means)).toBe("find:dense");
  expect(() => bestAt("ndcg@10", means)).toThrow(/Nothing has ndcg@10/);
});

test("differences are shown with their sign, and rounding to zero with none of its own", () => {
  expect(interval(spread(0.0125, -1e-17, 0.5))).toBe("+0.013 [+0.000, +0.500]");
  expect(interval(spread(-0.0004, -0.0006, 0))).toBe("+0.000 [−0.001, +0.000]");
});

test("the verdict counts the sets and names what does not hold", () => {
  const [good, bad] = [figures(), figures({ set: "b", dropped: ["q1"] })];
  expect(verdictText([good, { ...good, set: "c" }])).toBe("**Verdict: every criterion holds on all 2 sets** (a, c).");
  expect(verdictText([good, bad])).toBe(
    "**Verdict: every criterion holds on 1 of 2 sets** (a). What does not hold:\n\n" +
      "- b: own list without one of the first 3 in 1 of 100 questions",
  );
  expect(verdictText([bad])).toMatch(/^\*\*Verdict: every criterion holds on 0 of 1 sets\*\*\. /);
});

test("the report begins with the verdict, marks what fails and warns of what is not current", () => {
  const set = (name: string): QualitySet => ({ name, kind: "other", title: name, layOut: async () => "" });
  const againstBest = { ...figures().againstBest, "recall@5": { ...spread(-0.2), best: "find:dense" } };
  const reports = [
    { figures: figures(), section: "## a\n\nfigures of a" },
    { figures: figures({ set: "b", againstBest }), section: "## b\n\nfigures of b" },
  ];
  const shared = { command: "make it", sets: [set("a"), set("b")], reports, more: ["## More"] };
  const text = reportText({ ...shared, outdated: new Set() });
  expect(text.indexOf("Verdict: every criterion holds on 1 of 2 sets")).toBeLessThan(text.indexOf("figures of a"));
  expect(text).toContain("recall@5 −0.200 [−0.200, −0.200] against find:dense");
  expect(text.match(/−0\.200 \[−0\.200, −0\.200\] ✗/g)).toHaveLength(1);
  expect(text).toMatch(/^\| a \| 100 \| .* \| yes \|$/m);
  expect(text).toMatch(/^\| b \| 100 \| .* \| no \|$/m);
  expect(text).toContain("| a | Nothing was tuned on it. |");
  expect(text).not.toMatch(/earlier state|only the first|fitted without/);
  const unfitted = { name: "w", againstBest, lessShipped: figures().ownList };
  const [first] = reports;
  const other = reportText({
    ...shared,
    reports: first === undefined ? [] : [{ ...first, unfitted }],
    outdated: new Set(["a rules"]),
    limit: 3,
  });
  expect(other).toMatch(/Measured with an earlier state of the code\*\*.*: a rules\./);
  const all = reportText({ ...shared, outdated: new Set(["a rules", "a find:hybrid", "b rules"]) });
  expect(all).toMatch(/Measured with an earlier state of the code\*\*.*: a, b rules\./);
  expect(other).toContain("only the first 3 questions");
  expect(other).toMatch(/^\| a \| the best single query \| .*−0\.200/m);
});

test("a near-copy in the list stands for a document", async () => {
  const said = "Rugby union is the national sport of the islands, and their team has played at every cup since 1991.";
  const texts = new Map([
    ["a", said],
    ["b", `${said} `],
    ["c", "The highest mountain of the islands is a volcano that last broke out a hundred years ago."],
  ]);
  const dataset = { documentText: async (id: string) => texts.get(id) };
  expect(await hasNearCopy(dataset, "a", ["c", "b"])).toBe(true);
  expect(await hasNearCopy(dataset, "a", ["c"])).toBe(false);
  expect(await hasNearCopy(dataset, "a", ["gone"])).toBe(false);
  expect(await hasNearCopy(dataset, "gone", ["a"])).toBe(false);
});
