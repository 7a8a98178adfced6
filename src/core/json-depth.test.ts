import { expect, test } from "vitest";
import { nestsDeeper } from "./json-depth.ts";

test("depth is counted in arrays and objects, and no depth ends the stack", () => {
  expect(nestsDeeper("text", 0)).toBe(false);
  expect(nestsDeeper([], 0)).toBe(true);
  expect(nestsDeeper([{ a: [1] }, 2], 3)).toBe(false);
  expect(nestsDeeper([{ a: [1] }, 2], 2)).toBe(true);
  expect(nestsDeeper(JSON.parse(`${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}`), 100)).toBe(true);
});
