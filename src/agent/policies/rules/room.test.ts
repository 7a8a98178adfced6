import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ShownChunk } from "../../context/rendered.ts";
import type { View } from "../../policy.ts";
import { chat } from "../../profiles/chat.ts";
import { withLimit } from "../../profiles/profile.ts";
import type { Evidence } from "./evidence.ts";
import { roomFor } from "./room.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const CHUNK: ShownChunk = {
  key: "k",
  shownId: "d1.1",
  shownDocumentId: "d1",
  index: 0,
  title: "",
  headings: [],
  text: "",
};

/** Room in a window of `limit` tokens that holds chunks of these sizes beside `fixed` tokens of everything else. */
function room(limit: number, fixed: number, sizes: readonly number[]) {
  const tokens = fixed + sizes.reduce((sum, size) => sum + size, 0);
  const view: View = {
    query: "",
    context: { messages: [], tokens },
    tools: [],
    maxTokens: limit - tokens,
    documentsMax: 30,
    mustConclude: false,
    conclusion: "finish_tool",
    window: { tokens: limit, reserve: 128 },
    pruneBatchTokens: 0,
    date: "2026-01-01",
  };
  const evidence: Evidence = {
    searches: [],
    chunks: sizes.map((size) => ({ chunk: CHUNK, tokens: size })),
    pruned: [],
    last: [],
    joined: new Set(),
  };
  return roomFor(view, evidence);
}

/** A window with what stands in it; together that is never more than the window. */
const windows = fc
  .record({
    limit: fc.integer({ min: 2_048, max: 65_536 }),
    fixedShare: fc.double({ min: 0, max: 1, noNaN: true }),
    sizes: fc.array(fc.integer({ min: 1, max: 1_500 }), { maxLength: 120 }),
  })
  .map(({ limit, fixedShare, sizes }) => {
    const fixed = Math.floor(limit * fixedShare);
    let left = limit - fixed;
    const fitting = sizes.filter((size) => {
      left -= size;
      return left >= 0;
    });
    return { limit, fixed, sizes: fitting };
  });

describe("roomFor", () => {
  it("never plans more than fits under the soft limit, in windows of 2k to 64k", () => {
    fc.assert(
      fc.property(windows, ({ limit, fixed, sizes }) => {
        const { searches, keepTokens } = room(limit, fixed, sizes);
        expect(Number.isInteger(searches)).toBe(true);
        expect(searches).toBeGreaterThanOrEqual(0);
        expect(searches).toBeLessThanOrEqual(5);
        if (searches === 0) return;
        const each = sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length);
        // A search brings a call's cap at most, and eight chunks of the size seen so far.
        const { soft, perCallTokens } = withLimit(chat, limit).budget;
        const brought = searches * Math.min(8 * each, perCallTokens);
        expect(fixed + keepTokens + brought).toBeLessThanOrEqual(soft + 1);
        // There is room for one chunk at least beside what comes.
        expect(keepTokens).toBeGreaterThanOrEqual(each - 1e-6);
      }),
      { numRuns: 500 * SCALE, seed: 64 },
    );
  });

  it("plans no fewer searches for a larger window", () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: 0, max: 32_768 }), ({ limit, fixed, sizes }, more) => {
        expect(room(limit + more, fixed, sizes).searches).toBeGreaterThanOrEqual(room(limit, fixed, sizes).searches);
      }),
      { numRuns: 300 * SCALE, seed: 65 },
    );
  });

  it("plans none where what cannot be pruned fills the window, and some in a fresh one", () => {
    expect(room(2_048, 1_500, [200]).searches).toBe(0);
    expect(room(2_048, 1_600, []).searches).toBe(0);
    expect(room(2_048, 2_048, []).searches).toBe(0);
    expect(room(2_048, 900, [120, 120, 120]).searches).toBeGreaterThan(0);
    expect(
      room(
        32_768,
        1_200,
        Array.from({ length: 30 }, () => 100),
      ).searches,
    ).toBe(5);
  });
});
