import { expect, it } from "vitest";
import { ENDED, recordOf, sampledDecision } from "./record-fixture.ts";
import { sftRowsOf } from "./sft-rows.ts";

const first = sampledDecision(1, { keep: 0, add: [10, 11] }, [20, 21]);

it("labels what the policy wrote, and nothing that it was shown", () => {
  const record = recordOf(first, sampledDecision(2, { keep: 4, add: [12] }, [22], { finishReason: "stop" }), ENDED);
  expect(sftRowsOf(record)).toEqual([{ input_ids: [10, 11, 20, 21, 12, 22], labels: [-100, -100, 20, 21, -100, 22] }]);
});

it("teaches no rejected, cut or failed answer", () => {
  const tries = (["rejected", "length", "error"] as const).map((finishReason, i) =>
    sampledDecision(2, { keep: 1, add: [30 + i] }, [40 + i], { finishReason, attempt: i + 1 }),
  );
  // The last attempt goes on from the empty-handed one before it.
  const last = sampledDecision(2, { keep: 3, add: [13] }, [23], { attempt: 4 });
  expect(sftRowsOf(recordOf(first, ...tries, last, ENDED))).toEqual([
    { input_ids: [10, 11, 20, 21], labels: [-100, -100, 20, 21] },
    { input_ids: [10, 32, 42, 13, 23], labels: [-100, -100, -100, -100, 23] },
  ]);
});

it("takes text encoded again, scores missing and runs that were cut short", () => {
  const tokens = { prompt: { keep: 0, add: [10] }, completion: [20], renderer: "harmony/1", sampled: false };
  expect(sftRowsOf(recordOf({ ...first, tokens }))).toEqual([{ input_ids: [10, 20], labels: [-100, 20] }]);
});

it("refuses records without token ids", () => {
  const { tokens: _, ...bare } = first;
  expect(() => sftRowsOf(recordOf(bare, ENDED))).toThrow(/holds no token ids at turn 1/);
});
