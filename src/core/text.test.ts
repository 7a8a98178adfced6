import fc from "fast-check";
import { expect, test } from "vitest";
import { trimmedOf, withoutTrailingBlanks } from "./text.ts";

const odd = fc.string({ unit: fc.constantFrom(" ", "\t", "\n", "a", '"', ".") });

test("trimming is what the patterns that take time squared would do", () => {
  fc.assert(
    fc.property(odd, (text) => {
      expect(trimmedOf(text, /[\s"]/)).toBe(text.replace(/^[\s"]+|[\s"]+$/g, ""));
      expect(withoutTrailingBlanks(text)).toBe(text.replace(/[ \t]+$/gm, ""));
    }),
  );
});

test("trimming takes linear time where the run does not stand at the end", () => {
  const text = `a${" ".repeat(2_000_000)}b`;
  const started = performance.now();
  expect(trimmedOf(text, /\s/)).toBe(text);
  expect(withoutTrailingBlanks(text)).toBe(text);
  expect(performance.now() - started).toBeLessThan(5_000);
});
