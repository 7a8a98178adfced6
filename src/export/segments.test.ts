import { describe, expect, it } from "vitest";
import type { EventBody } from "../record/events.ts";
import { thrown } from "../testing/thrown.ts";
import { ENDED, recordOf, sampledDecision } from "./record-fixture.ts";
import { exportRollouts } from "./rollouts.ts";
import { type Segment, segmentsOf } from "./segments.ts";
import { type SegmentRule, validateSegments } from "./validate-segments.ts";

const edit = (by: "policy" | "oldest" | "emergency", ...pruned: string[]): EventBody => ({
  type: "edit",
  by,
  pruned,
  tokensFreed: 0,
  unknown: [],
});
const first = sampledDecision(1, { keep: 0, add: [10, 11] }, [20, 21]);
const LIMITS = { vocabularySize: 201_088, tokensMax: 1_000 };

describe("segmentsOf", () => {
  it("goes on with a segment while prompts begin with it, and masks what lies between", () => {
    const sampling = { temperature: 1, topP: 0.9 };
    const record = recordOf({ ...first, sampling }, sampledDecision(2, { keep: 4, add: [12] }, [22]), ENDED);
    expect(segmentsOf(record, { advantage: 0.5, reward: 1, step: 3, runId: "train", policyVersion: "w7" })).toEqual([
      {
        schema: "segment/1",
        run_id: "train",
        step: 3,
        group_id: "r1",
        rollout_id: "r1",
        segment_index: 0,
        is_last: true,
        tokens: [10, 11, 20, 21, 12, 22],
        mask: [0, 0, 1, 1, 0, 1],
        logprobs: [0, 0, -0.2, -0.21, 0, -0.22],
        advantage: 0.5,
        reward: 1,
        policy_versions: [{ version: "w7", start: 0, end: 6 }],
        finish_reason: "calls",
        truncated: false,
        turns: [1, 2],
        edit: { kind: "start", removed_chunk_ids: [] },
        tokenizer_sha: "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        renderer_version: "harmony/1",
        sampling: { temperature: 1, top_p: 0.9, top_k: null },
      },
    ]);
  });

  it("opens another segment behind a prune, with the whole prompt masked", () => {
    const segments = segmentsOf(
      recordOf(first, edit("policy", "c/a#1"), sampledDecision(2, { keep: 1, add: [99, 12] }, [22]), ENDED),
    );
    expect(segments.map(({ tokens }) => tokens)).toEqual([
      [10, 11, 20, 21],
      [10, 99, 12, 22],
    ]);
    expect(segments[1]).toMatchObject({
      mask: [0, 0, 0, 1],
      edit: { kind: "prune", removed_chunk_ids: ["c/a#1"] },
      segment_index: 1,
      is_last: true,
    });
    expect(segments[0]?.is_last).toBe(false);
  });

  it("tells prunes by the policy, by the harness, and changes without any prune apart", () => {
    const next = (turn: number) => sampledDecision(turn, { keep: 1, add: [90 + turn] }, [22]);
    const record = recordOf(
      first,
      ...[edit("oldest", "a"), edit("emergency", "b"), next(2)],
      next(3),
      ...[edit("oldest", "c"), edit("policy", "d"), next(4)],
      // Nothing was removed by this one.
      ...[edit("policy"), next(5)],
      ENDED,
    );
    expect(segmentsOf(record).map((segment) => segment.edit)).toEqual([
      { kind: "start", removed_chunk_ids: [] },
      { kind: "budget", removed_chunk_ids: ["a", "b"] },
      { kind: "rerender", removed_chunk_ids: [] },
      { kind: "prune", removed_chunk_ids: ["c", "d"] },
      { kind: "rerender", removed_chunk_ids: [] },
    ]);
  });

  it("does not name a prune at a later segment when the next prompt went on all the same", () => {
    const record = recordOf(
      first,
      edit("oldest", "a"),
      sampledDecision(2, { keep: 4, add: [12] }, [22]),
      sampledDecision(3, { keep: 1, add: [13] }, [23]),
      ENDED,
    );
    expect(segmentsOf(record).map((segment) => segment.edit.kind)).toEqual(["start", "rerender"]);
  });

  it("goes by the ids, not by how many the record says were kept", () => {
    const record = recordOf(first, sampledDecision(2, { keep: 0, add: [10, 11, 20, 21, 12] }, [22]), ENDED);
    expect(segmentsOf(record)).toHaveLength(1);
  });

  it("takes a prompt that differs in its last sampled token for another segment", () => {
    const record = recordOf(first, sampledDecision(2, { keep: 3, add: [29, 12] }, [22]), ENDED);
    expect(segmentsOf(record).map(({ tokens }) => tokens.length)).toEqual([4, 6]);
  });

  it("gives rejected and cut attempts segments of their own", () => {
    const record = recordOf(
      sampledDecision(1, { keep: 0, add: [10] }, [20], { finishReason: "rejected" }),
      sampledDecision(1, { keep: 1, add: [11] }, [21], { finishReason: "length", attempt: 2 }),
      sampledDecision(1, { keep: 1, add: [11, 12] }, [22], { attempt: 3 }),
      ENDED,
    );
    const segments = segmentsOf(record);
    expect(segments.map(({ finish_reason, truncated }) => [finish_reason, truncated])).toEqual([
      ["rejected", false],
      ["length", true],
      ["calls", false],
    ]);
    expect(segments.map(({ turns }) => turns)).toEqual([[1], [1], [1]]);
    expect(segments.map(({ edit: { kind } }) => kind)).toEqual(["start", "rerender", "rerender"]);
  });

  it("passes over attempts that sampled nothing, and reads on from their prompts", () => {
    const record = recordOf(
      first,
      edit("policy", "a"),
      sampledDecision(2, { keep: 1, add: [50, 51] }, [], { finishReason: "rejected" }),
      sampledDecision(2, { keep: 3, add: [52] }, [22], { attempt: 2 }),
      ENDED,
    );
    const segments = segmentsOf(record);
    expect(segments.map(({ tokens }) => tokens)).toEqual([
      [10, 11, 20, 21],
      [10, 50, 51, 52, 22],
    ]);
    expect(segments[1]?.edit).toEqual({ kind: "prune", removed_chunk_ids: ["a"] });
  });

  it("groups a rollout with the others of its parent", () => {
    const record = recordOf(first, ENDED);
    expect(segmentsOf({ ...record, header: { ...record.header, parent: "p1" } })[0]?.group_id).toBe("p1");
  });
});

describe("records that cannot be trained from", () => {
  const { tokens, ...bare } = first;
  const withTokens = (part: object) => ({ ...first, tokens: { ...tokens, ...part } }) as typeof first;
  const { logprobs: _, ...unscored } = tokens ?? { logprobs: undefined };

  it.each([
    ["without token ids", recordOf(bare, ENDED), "invalid_argument", /r1 holds no token ids at turn 1, attempt 1/],
    ["without any decision", recordOf(ENDED), "invalid_argument", /holds no token ids\./],
    [
      "of failed calls only",
      recordOf({ ...bare, finishReason: "error" }, ENDED),
      "invalid_argument",
      /holds no token ids\./,
    ],
    [
      "with a decision that lacks them",
      recordOf(first, { ...bare, turn: 2 }, ENDED),
      "invalid_argument",
      /at turn 2, attempt 1/,
    ],
    ["of text encoded again", recordOf(withTokens({ sampled: false }), ENDED), "invalid_argument", /server gave text/],
    [
      "without log-probabilities",
      recordOf({ ...first, tokens: unscored } as typeof first, ENDED),
      "invalid_argument",
      /no log-probabilities/,
    ],
    ["without an end", recordOf(first), "invalid_argument", /no end/],
    [
      "of two renderers",
      recordOf(first, { ...withTokens({ renderer: "other/1" }), turn: 2 }, ENDED),
      "invalid_argument",
      /harmony\/1 and other\/1/,
    ],
    [
      "that keep tokens which are not there",
      recordOf(first, sampledDecision(2, { keep: 5, add: [] }, [22]), ENDED),
      "record_corrupt",
      /keeps 5 tokens of 4/,
    ],
  ])("are refused %s", (_name, record, code, message) => {
    const error = thrown(() => segmentsOf(record));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
    if (code === "invalid_argument") expect(error.hint).toBeTruthy();
  });

  it("but a failed call between two decisions is no obstacle", () => {
    const record = recordOf(first, { ...bare, finishReason: "error", turn: 2 }, ENDED);
    expect(segmentsOf(record)).toHaveLength(1);
  });
});

describe("validateSegments", () => {
  const segments = segmentsOf(
    recordOf(first, edit("policy", "a"), sampledDecision(2, { keep: 1, add: [12] }, [22]), ENDED),
    { advantage: 1 },
  );
  const [zero, one] = segments as [Segment, Segment];
  const sampledTokens = new Map([["r1", 3]]);

  it("finds nothing in what segmentsOf made", () => {
    expect(validateSegments(segments, { ...LIMITS, sampledTokens })).toEqual([]);
  });

  it.each<[SegmentRule, number | null, Partial<Segment>]>([
    ["lengths", 1, { mask: [0, 0, 1, 0] }],
    ["lengths", 1, { logprobs: [0, 0] }],
    ["mask", 1, { mask: [0, 2 as 1, 1] }],
    ["mask", 1, { mask: [0, 0, 0], logprobs: [0, 0, 0] }],
    ["first_masked", 1, { mask: [1, 0, 1], logprobs: [-1, 0, -1] }],
    ["logprobs", 1, { logprobs: [0, 0, 0.01] }],
    ["logprobs", 1, { logprobs: [0, 0, Number.NaN] }],
    ["logprobs", 1, { logprobs: [0, 0, Number.NEGATIVE_INFINITY] }],
    ["logprobs", 1, { logprobs: [0, -1, -1] }],
    ["vocabulary", 1, { tokens: [10, 201_088, 22] }],
    ["vocabulary", 1, { tokens: [10, -1, 22] }],
    ["vocabulary", 1, { tokens: [10, 1.5, 22] }],
    ["too_long", 1, { tokens: Array(1_001).fill(5), mask: Array(1_001).fill(0), logprobs: Array(1_001).fill(0) }],
    ["sampled_total", null, { mask: [0, 1, 1], logprobs: [0, -1, -1] }],
    ["advantage", 1, { advantage: 2 }],
    ["advantage", 1, { advantage: null }],
    ["advantage", 1, { advantage: Number.NaN }],
    ["order", 1, { segment_index: 2 }],
    ["order", 1, { is_last: false }],
  ])("names rule %s and the segment", (rule, segment, part) => {
    const problems = validateSegments([zero, { ...one, ...part }], { ...LIMITS, sampledTokens });
    const found = problems.find((each) => each.rule === rule);
    expect(found).toMatchObject({ rollout: "r1", segment: segment === null ? null : (part.segment_index ?? segment) });
    expect(found?.message).toContain(`(${rule})`);
    expect(found?.message).toContain("ollout r1");
  });

  it("refuses segments of a rollout that do not stand side by side", () => {
    const other = { ...zero, rollout_id: "r2", is_last: true };
    const problems = validateSegments([zero, other, one], LIMITS);
    expect(problems.map(({ rollout, segment, rule }) => [rollout, segment, rule])).toEqual([["r1", 1, "order"]]);
    expect(validateSegments([zero, one, other], LIMITS)).toEqual([]);
  });

  it("refuses a rollout without its last segment", () => {
    expect(validateSegments([zero], LIMITS).map(({ rule }) => rule)).toEqual(["order"]);
  });
});

describe("exportRollouts", () => {
  const named = (runId: string, ...events: Parameters<typeof recordOf>) => {
    const record = recordOf(...events, ENDED);
    return { ...record, header: { ...record.header, runId } };
  };

  it("leaves out a whole rollout for one over-long segment, and names it", () => {
    const long = named("long", first, sampledDecision(2, { keep: 0, add: Array(10).fill(7) }, [22]));
    const out = exportRollouts([named("a", first), long, named("b", first)], { ...LIMITS, tokensMax: 10 });
    expect(out.segments.map((segment) => segment.rollout_id)).toEqual(["a", "b"]);
    expect([out.rollouts, out.tooLong]).toEqual([2, ["long"]]);
    expect(exportRollouts([long], { ...LIMITS, tokensMax: 11 }).segments).toHaveLength(2);
  });

  it("refuses a record given twice and ids that the engine does not know", () => {
    expect(thrown(() => exportRollouts([named("a", first), named("a", first)], LIMITS)).code).toBe("invalid_argument");
    const error = thrown(() => exportRollouts([named("a", first)], { ...LIMITS, vocabularySize: 21 }));
    expect(error.message).toMatch(/^Segment 0 of rollout a .*\(vocabulary\)\.$/);
  });
});
