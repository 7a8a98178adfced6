import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OVERFETCH_GROWTH, overfetch, rankCandidates } from "./overfetch.ts";
import type { Candidate } from "./store.ts";

const numRuns = 200 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const row = (id: number, score: number): Candidate => ({ id: String(id).padStart(4, "0"), documentId: "d", score });

describe("overfetch", () => {
  test("equals filtering everything, whatever is dropped and however ties are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ score: fc.integer({ min: 0, max: 40 }), kept: fc.boolean() }), { maxLength: 120 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 20 }),
        async (entries, limit, firstRows) => {
          const rows = entries.map(({ score }, i) => row(i, score));
          const keep = ({ id }: Candidate) => entries[Number(id)]?.kept === true;
          // The worst store: among equal scores the largest ids come first.
          const stored = [...rows].sort((a, b) => b.score - a.score || (a.id < b.id ? 1 : -1));
          const fetch = async (count: number) => stored.slice(0, count);
          const found = await overfetch({ fetch, keep, limit, firstRows });
          const expected = rankCandidates(rows.filter(keep)).slice(0, limit);
          expect(found.complete).toBe(true);
          expect(found.candidates.map(({ score }) => score)).toEqual(expected.map(({ score }) => score));
          const cut = expected.at(-1)?.score ?? 0;
          const tied = rows.filter(({ score }) => score === cut).length;
          if (tied <= 3) expect(found.candidates).toEqual(expected);
        },
      ),
      { numRuns, seed: 3 },
    );
  });

  test("says so when the cap is reached, and fetches no more than it", async () => {
    const asked: number[] = [];
    const fetch = async (count: number) => {
      asked.push(count);
      return Array.from({ length: count }, (_, i) => row(i, 1_000 - i));
    };
    const found = await overfetch({ fetch, keep: ({ id }) => id === "0000", limit: 2, firstRows: 4, rowsMax: 50 });
    expect(found).toMatchObject({ candidates: [{ id: "0000" }], complete: false });
    expect(asked).toEqual([5, 5 * OVERFETCH_GROWTH, 50]);
  });
});
