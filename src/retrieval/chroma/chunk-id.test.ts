import fc from "fast-check";
import { expect, test } from "vitest";
import { chunkIdOf, recordIdOf } from "./chunk-id.ts";

const numRuns = 500 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const recordId = fc.oneof(fc.string({ unit: "grapheme" }), fc.stringMatching(/^[a-z%#:0-9\n]{0,12}$/));
const part = fc.nat({ max: 1_000 });

test("plain ids stay readable", () => {
  expect(chunkIdOf("repo::docs__a b.md::0001", 0)).toBe("repo::docs__a b.md::0001");
  expect(chunkIdOf("a#1\n100%", 2)).toBe("a%231%0A100%25#2");
});

test("a chunk names its record, whatever characters the id has", () => {
  fc.assert(
    fc.property(recordId, part, (id, at) => {
      const chunkId = chunkIdOf(id, at);
      expect(recordIdOf(chunkId)).toBe(id);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
      expect(chunkId).not.toMatch(/[\u0000-\u001f]/);
    }),
    { numRuns, seed: 3 },
  );
});

test("different records and parts never share an id", () => {
  fc.assert(
    fc.property(recordId, part, recordId, part, (a, at, b, bt) => {
      fc.pre(a !== b || at !== bt);
      expect(chunkIdOf(a, at)).not.toBe(chunkIdOf(b, bt));
    }),
    { numRuns, seed: 4 },
  );
});
