import { expect, test } from "vitest";
import { storeRow } from "../../testing/store-row.ts";
import { SharedChunks } from "./shared-chunks.ts";

const chunk = (id: string, text = id) => storeRow(id, text).chunk;

test("a chunk that is read again is the object that was read before", () => {
  const seen = new SharedChunks();
  const [first, other] = [chunk("a"), chunk("b")];
  expect(seen.same(first)).toBe(first);
  expect(seen.same(other)).toBe(other);
  expect(seen.same(chunk("a"))).toBe(first);
});

test("what was not read for long is forgotten, and what is read over and over is not", () => {
  const seen = new SharedChunks();
  const [rare, often] = [chunk("rare"), chunk("often")];
  seen.same(rare);
  const text = "x".repeat(100_000);
  for (let i = 0; i < 400; i++) {
    seen.same(chunk(`other ${i}`, text));
    expect(seen.same(i === 0 ? often : chunk("often"))).toBe(often);
  }
  const again = chunk("rare");
  expect(seen.same(again)).toBe(again);
});
