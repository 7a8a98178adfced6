import { expect, it } from "vitest";
import { excerpt } from "./excerpt.ts";

it("shows the part that has most of the words, as one line within the limit", () => {
  const text = `${"filler words here. ".repeat(40)}The pool is drained before the server stops.\n${"more filler. ".repeat(40)}`;
  const shown = excerpt(text, "when is the pool drained?", 80);
  expect(shown).toContain("pool is drained");
  expect(shown.length).toBeLessThanOrEqual(80);
  expect(shown).not.toContain("\n");
});

it("begins at the beginning when no word occurs", () => {
  expect(excerpt("alpha beta gamma ".repeat(50), "zebra", 40).startsWith("alpha beta")).toBe(true);
});

it("leaves front matter out, unless there is nothing else", () => {
  expect(excerpt("---\ntitle: Pools\n---\n# Pools\nDrain them.", "pools", 80)).toBe("# Pools Drain them.");
  expect(excerpt("---\ntitle: Pools\n---\n", "pools", 80)).toBe("--- title: Pools ---");
});
