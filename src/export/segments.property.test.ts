import fc from "fast-check";
import { expect, it } from "vitest";
import { scriptedPolicy } from "../agent/policies/scripted.ts";
import type { Decision } from "../agent/policy.ts";
import { chat } from "../agent/profiles/chat.ts";
import { context1 } from "../agent/profiles/context-1.ts";
import { type Profile, withLimit } from "../agent/profiles/profile.ts";
import type { RunRecord } from "../record/reader.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { randomChunks } from "../testing/world.ts";
import { type Segment, sampledTokensOf, segmentsOf } from "./segments.ts";
import { FAKE_VOCABULARY_SIZE, withFakeTokens } from "./token-fixture.ts";
import { tokenTurnsOf } from "./token-turns.ts";
import { validateSegments } from "./validate-segments.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const counter = wordCounter();
const corpus = memoryCorpus("test", randomChunks(30, 4, counter, 7));

const id = fc.tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 4 })).map(([d, c]) => `d${d}.${c}`);
const call = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .constantFrom("amber basin", "cedar delta item", "valley willow", "fjord", "quarry ridge")
      .map((query) => ({ tool: "search_corpus", arguments: { query } })),
  },
  { weight: 2, arbitrary: id.map((doc_id) => ({ tool: "read_document", arguments: { doc_id } })) },
  {
    weight: 3,
    arbitrary: fc
      .array(id, { minLength: 1, maxLength: 6 })
      .map((chunk_ids) => ({ tool: "prune_chunks", arguments: { chunk_ids } })),
  },
  { weight: 1, arbitrary: fc.constant({ tool: "no_such_tool", arguments: "{not json" }) },
);
const decision: fc.Arbitrary<Decision> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ text: fc.string(), calls: fc.array(call, { minLength: 1, maxLength: 4 }) }) },
  // Rejected, too long, and idle.
  { weight: 1, arbitrary: fc.constant({ calls: [] }) },
  { weight: 1, arbitrary: fc.constant({ text: "x ".repeat(40_000), calls: [] }) },
  { weight: 1, arbitrary: fc.constant({ reasoning: "Hm.", calls: [] }) },
);

const small = { ...withLimit(chat, 4_096), softNotice: "kept" } as const;
const profiles: readonly Profile[] = [
  chat,
  small,
  { ...small, pruning: "oldest" },
  { ...small, pruning: "none", softNotice: "off" },
  { ...withLimit(context1, 5_000), pruneLeaves: "nothing" },
];

async function randomRecord(profile: Profile, steps: readonly Decision[]): Promise<RunRecord> {
  const limits = { turnsMax: 20 };
  const { run, record } = startTestRun(scriptedPolicy(steps), { profile, counter, corpora: [corpus], limits });
  await run.result;
  return record();
}

/** Finds every turn's prompt and completion again in the segments, and that nothing else in them is to be trained. */
function expectRoundTrip(record: RunRecord, segments: readonly Segment[]): void {
  const trained = segments.map(({ mask }) => mask.map(() => 0));
  let at = 0;
  let segmentStart = 0;
  for (const { prompt, completion, logprobs, decision: made } of tokenTurnsOf(record)) {
    // A turn that goes on from the open segment is in it; any other begins the next one.
    const goesOn = prompt.slice(0, segmentStart).join() === segments[at]?.tokens.slice(0, segmentStart).join();
    if (segmentStart > 0 && !goesOn) at++;
    const segment = segments[at];
    const end = prompt.length + completion.length;
    expect(segment?.tokens.slice(0, end)).toEqual([...prompt, ...completion]);
    expect(segment?.logprobs.slice(prompt.length, end)).toEqual(logprobs);
    expect(segment?.turns).toContain(made.turn);
    for (let i = prompt.length; i < end; i++) (trained[at] ?? [])[i] = ((trained[at] ?? [])[i] ?? 0) + 1;
    segmentStart = end;
  }
  expect(at).toBe(segments.length - 1);
  expect(segments.map(({ mask }) => mask)).toEqual(trained);
}

it("puts every sampled token into exactly one segment", { timeout: 600_000 }, async () => {
  const kinds = new Map<string, number>();
  let joined = 0;
  const episode = fc.tuple(
    fc.constantFrom(...profiles),
    fc.constantFrom("sampled" as const, "rerendered" as const),
    fc.array(decision, { minLength: 1, maxLength: 14 }),
    fc.nat(),
  );
  await fc.assert(
    fc.asyncProperty(episode, async ([profile, history, steps, seed]) => {
      const record = withFakeTokens(await randomRecord(profile, steps), { counter, seed, history });
      const turns = record.events.some((event) => event.type === "decision" && event.tokens?.completion.length);
      if (!turns) return;
      const segments = segmentsOf(record);
      expectRoundTrip(record, segments);
      const sampledTokens = new Map([[record.header.runId, sampledTokensOf(record)]]);
      const limits = { vocabularySize: FAKE_VOCABULARY_SIZE, tokensMax: 1_000_000, sampledTokens };
      expect(validateSegments(segments, limits)).toEqual([]);
      const edited = record.events.flatMap((event) => (event.type === "edit" ? event.pruned : []));
      for (const { edit, turns: covered } of segments) {
        kinds.set(edit.kind, (kinds.get(edit.kind) ?? 0) + 1);
        if (covered.length > 1) joined++;
        for (const key of edit.removed_chunk_ids) expect(edited).toContain(key);
      }
    }),
    { numRuns: 40 * SCALE, seed: 20_261_122 },
  );
  // The episodes must have met every reason for a new segment, and none.
  for (const kind of ["start", "prune", "budget", "rerender"]) expect(kinds.get(kind) ?? 0).toBeGreaterThan(0);
  expect(joined).toBeGreaterThan(0);
});
