import { expect, test } from "vitest";
import { sameText } from "./same-text.ts";

test("names three near-duplicates and counts the rest", () => {
  const names = ["a.md", "b.md", "c\u001b[31m.md", "d.md", "e.md"].map((id) => ({ corpus: "c", id }));
  expect(sameText(names)).toBe("Same text: a.md, b.md, c[31m.md, and 2 more");
  expect(sameText(names.slice(0, 1))).toBe("Same text: a.md");
  expect(sameText([])).toBe("");
});
