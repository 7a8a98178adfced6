import { describe, expect, test } from "vitest";
import { areNearDuplicates, type ComparedDocument, fingerprint, mayBeNearDuplicates } from "./near-duplicates.ts";

const PAGE = `# Connection pool

The pool keeps up to 10 connections to each origin open, and closes one that nobody has used for 30 seconds. A request
that finds no free connection waits in a queue; when the queue holds 100 requests, the next one is refused at once.

## Timeouts

A request has a deadline of its own. When the server has not sent the first byte of its answer by then, the connection
is thrown away, because the late answer to an old request must not be taken for the answer to a new one.`;

function whole(text: string, title = "Connection pool"): ComparedDocument {
  return { title, passages: [text], isWhole: true, chunks: 1 };
}

function parts(passages: readonly string[], chunks: number, title = "Connection pool"): ComparedDocument {
  return { title, passages, isWhole: false, chunks };
}

/** In both directions, which must agree. */
function alike(a: ComparedDocument, b: ComparedDocument): boolean {
  const [first, second] = [fingerprint(a), fingerprint(b)];
  const answer = areNearDuplicates(first, second);
  expect(areNearDuplicates(second, first)).toBe(answer);
  return answer;
}

describe("areNearDuplicates, of whole texts", () => {
  test("the same text in two formats", () => {
    const markdown = PAGE.replace("a queue;", "[a queue](./queue.md#limits);").replace("deadline", "`deadline`");
    const html = `${PAGE.replaceAll("\n", "  \n")}\n\n© 2026`;
    expect(alike(whole(`---\ntitle: Pool\n---\n${markdown}`), whole(html, "Connection pool | Manual"))).toBe(true);
  });

  test("a corrected word keeps a copy a copy; another number makes it another state", () => {
    expect(alike(whole(PAGE), whole(PAGE.replace("nobody has used", "nobody used")))).toBe(true);
    expect(alike(whole(PAGE), whole(PAGE.replace("30 seconds", "60 seconds")))).toBe(false);
  });

  test("a changelog is no copy of the one it grew from", () => {
    const entries = Array.from({ length: 12 }, (_, i) => `## 1.${i}.0\n\n- Close part ${i} of the pool on exit.\n`);
    const [older, newer] = [entries.slice(0, -1), entries].map((list) =>
      whole([...list].reverse().join("\n"), "Changes"),
    );
    expect(older !== undefined && newer !== undefined && alike(older, newer)).toBe(false);
  });

  test("pages of one template about two things are two pages", () => {
    const page = (name: string) =>
      whole(`${PAGE}\n\nAll of this holds for ${name}, and for whatever is built on it.`, `Pool of ${name}`);
    expect(alike(page("Harbour"), page("Orchard"))).toBe(false);
    expect(alike(page("Harbour"), page("Harbour"))).toBe(true);
  });

  test("a section of a page is not the page, and different texts are different", () => {
    expect(alike(whole(PAGE), whole(PAGE.slice(PAGE.indexOf("## Timeouts"))))).toBe(false);
    expect(alike(whole(PAGE), whole("The pool in the garden is cleaned once a week.", "Pool"))).toBe(false);
  });

  test("short texts: a heading more does not matter, half as much again does", () => {
    const text = "Run the seed script before the first start, or the table of harbours stays empty.";
    expect(alike(whole(text, "Seed"), whole(`Seed\n\n${text}`, "Seed"))).toBe(true);
    expect(alike(whole(text, "Seed"), whole(`${text} It may be run again at any time without harm.`, "Seed"))).toBe(
      false,
    );
    expect(alike(whole("Yes", "a"), whole("Yes", "a"))).toBe(true);
    expect(alike(whole("", "a"), whole("", "a"))).toBe(false);
  });
});

describe("areNearDuplicates, of documents known in part", () => {
  const [first = "", second = ""] = PAGE.split("## Timeouts");

  test("the best passage of each has to stand in the other, in documents of much the same length", () => {
    expect(alike(parts([first, second], 6), parts([first], 7))).toBe(true);
    expect(alike(parts([first, second], 6), parts([first], 40))).toBe(false);
    expect(alike(parts([first], 6), parts([second], 6))).toBe(false);
  });

  test("a passage with another number is another passage", () => {
    expect(alike(parts([first], 6), parts([first.replace("100 requests", "200 requests")], 6))).toBe(false);
  });
});

test("mayBeNearDuplicates asks for one passage only", () => {
  const [first = "", second = ""] = PAGE.split("## Timeouts");
  expect(mayBeNearDuplicates(fingerprint(parts([first], 2)), fingerprint(parts([second, first], 2)))).toBe(true);
  expect(mayBeNearDuplicates(fingerprint(parts([first], 2)), fingerprint(parts([second], 2)))).toBe(false);
});

test("markup that never ends takes linear time", () => {
  const long = ["[a](", "<a ", "```", "---\n", "http://", "1."].map((part) => part.repeat(40_000));
  const start = performance.now();
  for (const text of long) fingerprint(whole(text));
  expect(performance.now() - start).toBeLessThan(5_000);
});
