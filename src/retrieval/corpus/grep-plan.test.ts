import { describe, expect, test } from "vitest";
import { GREP_SEGMENTS_MAX, planGrepCompaction } from "./grep-plan.ts";
import type { ManifestItem } from "./manifest.ts";

const item = (segment: number, textBytes: number): ManifestItem => ({
  key: `${segment}-${textBytes}`,
  source: "files",
  state: "indexed",
  bytes: textBytes,
  mtimeMs: 0,
  documents: 1,
  chunks: 1,
  tokens: 1,
  textBytes,
  segment,
});

const segment = (number: number, bytes: number) => ({ segment: number, documents: 1, bytes: bytes + 2 });

describe("planGrepCompaction", () => {
  test("leaves sound segments alone", () => {
    const plan = planGrepCompaction([segment(1, 100), segment(2, 100)], [item(1, 100), item(2, 50)]);
    expect(plan).toEqual({ merged: new Set(), dropped: new Set() });
  });

  test("writes anew what is mostly dead or damaged, drops what nobody lives in", () => {
    const segments = [segment(1, 100), segment(2, 100), segment(3, 100), segment(4, 100)];
    const plan = planGrepCompaction(segments, [item(1, 49), item(3, 100), item(4, 100)], new Set([4]));
    expect(plan).toEqual({ merged: new Set([1, 4]), dropped: new Set([2]) });
  });

  test("merges the smallest when there are too many", () => {
    const count = GREP_SEGMENTS_MAX + 1;
    const segments = Array.from({ length: count }, (_, i) => segment(i + 1, 100 + i));
    const { merged, dropped } = planGrepCompaction(
      segments,
      segments.map((entry) => item(entry.segment, entry.bytes)),
    );
    expect(dropped.size).toBe(0);
    expect([...merged].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(
      planGrepCompaction(
        segments.slice(1),
        segments.map((entry) => item(entry.segment, entry.bytes)),
      ),
    ).toEqual({
      merged: new Set(),
      dropped: new Set(),
    });
  });
});
