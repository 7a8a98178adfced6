import { describe, expect, test } from "vitest";
import { answersAtRest, closedLoop, openLoop } from "../../bench/load/generate.ts";
import { faults, perSecond } from "../../bench/load/report.ts";
import type { Outcome, Target } from "../../bench/load/targets.ts";

const MIB = 2 ** 20;
const answer = (number: number): Outcome => ({ kind: "answer", answer: `answer ${number}` });
const targetOf = (ask: (number: number) => Promise<Outcome>, rssBytes = () => MIB): Target => ({
  name: "double",
  unit: "queries",
  ask,
  rssBytes,
  cpuMs: () => 0,
  pulse: async () => 0,
  close: async () => {},
});
const KNOWN = new Map([0, 1, 2].map((number) => [number, `answer ${number}`]));
const quick = { rate: 100, seconds: 0.2, drainMsMax: 200 };

describe("the load generator", () => {
  test("sends as many as it should, and finds nothing wrong with a target that answers as at rest", async () => {
    const target = targetOf(async (number) => answer(number));
    expect(await answersAtRest(target, 3)).toEqual(KNOWN);
    const open = await openLoop(target, KNOWN, quick);
    expect([open.issued, open.settled, open.different, open.refused]).toEqual([20, 20, 0, 0]);
    expect(faults("open", open, 10)).toEqual([]);
    const closed = await closedLoop(target, KNOWN, { clients: 2, seconds: 0.1 });
    expect(faults("closed", closed, 10)).toEqual([]);
    expect(perSecond(closed)).toBeGreaterThan(100);
  });

  test("names what is lost, different, refused without a word, failed or too large", async () => {
    let asked = 0;
    const outcomes: readonly (() => Promise<Outcome>)[] = [
      async () => answer(0),
      () => new Promise<Outcome>(() => {}),
      async () => ({ kind: "answer", answer: "another" }),
      async () => ({ kind: "refused", code: "429 busy", isToldWhen: false }),
      async () => ({ kind: "refused", code: "429 busy", isToldWhen: true }),
      async () => ({ kind: "error", code: "ECONNRESET" }),
    ];
    const target = targetOf(
      () => outcomes[asked++ % outcomes.length]?.() ?? Promise.reject(new Error("none")),
      () => 20 * MIB,
    );
    const load = await openLoop(target, new Map([[0, "answer 0"]]), { ...quick, rate: 30 });
    expect(load.issued).toBe(6);
    expect(faults("10x", load, 10)).toEqual([
      "10x: 1 requests have neither an answer nor an error",
      "10x: 1 answers differ from those at rest",
      "10x: 1 were refused without a word on when to come again",
      "10x: failed: ECONNRESET 1",
      "10x: memory reached 20 MiB, more than 10",
    ]);
  });
});
