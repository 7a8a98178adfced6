import { expect, it } from "vitest";
import { askedOver } from "./asked-over.ts";
import { excerpt, shownPassage } from "./excerpt.ts";

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

it("shows the best sentence and what follows it, without marks, and code where the words are there", () => {
  const page = `# Pools

A pool keeps *connections* open.

\`\`\`js
const pool = createPool({ sizeMax: 10 });
await pool.drainSlowly();
\`\`\`

The pool is [drained](#drain) before the server stops. It takes ten seconds.
${"More of it. ".repeat(40)}`;
  const shown = (query: string) =>
    shownPassage(page, query, { asked: askedOver(query, [page, "Another page."]), why: "", unitsMax: 90 });
  expect(shown("when is the pool drained?")).toBe(
    "The pool is drained before the server stops. It takes ten seconds. More of it. More of it.",
  );
  expect(shown("drainSlowly sizeMax")).toContain("await pool.drainSlowly();");
  const rest = { asked: askedOver("pool", []), unitsMax: 90 };
  expect(shownPassage("```\n***\n```", "pool", { ...rest, why: "" })).toBe("``` *** ```");
  expect(shownPassage(page, "pool", { ...rest, why: "It takes ten seconds." })).toMatch(
    /^It takes ten seconds\. More/u,
  );
  expect(shownPassage(page, "pool", { ...rest, why: "Not in it." })).toMatch(/^A pool keeps/u);
});
