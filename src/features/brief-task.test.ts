import { describe, expect, it } from "vitest";
import { rulesPolicy } from "../agent/policies/rules/rules.ts";
import type { Chunk, Metadata } from "../core/types.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { briefTask } from "./brief-task.ts";

function chunk(id: string, text: string, metadata: Metadata = {}): Chunk {
  const place = { index: 0, count: 1, start: 0, end: text.length, line: 1 };
  return { id, documentId: id, ...place, text, tokens: 20, title: id, headings: [], uri: id, metadata };
}

const task = "Change how often the billing queue retries";
const brief = (chunks: readonly Chunk[], asked = task) =>
  briefTask({ task: asked, corpora: [memoryCorpus("docs", chunks)], policy: () => rulesPolicy(), profile: "chat" });
const idsOf = (documents: readonly { readonly id: string }[]) => documents.map(({ id }) => id);

const QUEUE = chunk(
  "queue.md",
  "# Queue\n\nIt is a queue.\n\nThe billing queue retries three times before it gives up.",
  {
    modified: "2026-03-01",
  },
);
const OTHERS = Array.from({ length: 30 }, (_, n) =>
  chunk(`other-${n}.md`, `Number ${n} of the notes that mention billing once.`),
);

describe("briefTask", () => {
  it("sorts documents into three groups, each once, and sets aside what is out of date", async () => {
    const old = chunk("queue-old.md", "The billing queue retries five times before it gives up.", {
      status: "Superseded",
    });
    const { load, keep, ignore } = await brief([QUEUE, old, ...OTHERS]);
    expect(load[0]).toMatchObject({ id: "queue.md", date: "2026-03-01T00:00:00.000Z" });
    expect(ignore[0]).toMatchObject({ id: "queue-old.md", why: "its status is superseded" });
    const ids = idsOf([...load, ...keep, ...ignore]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(keep.length).toBeGreaterThan(0);
  });

  it("says of each document what it says to the task, and nothing twice", async () => {
    const { load, keep, ignore } = await brief([QUEUE, ...OTHERS]);
    expect(load[0]).toMatchObject({
      about: "It is a queue.",
      why: "The billing queue retries three times before it gives up.",
    });
    for (const { about, why } of [...load, ...keep]) {
      expect(why).not.toMatch(/^Mentions/u);
      expect(about.includes(why) && why !== "").toBe(false);
    }
    for (const { why } of ignore) expect(why).not.toBe("");
  });

  it("loads five at most, and the rest of the list leads what is kept", async () => {
    const queues = Array.from({ length: 9 }, (_, n) =>
      chunk(
        `queue-of-${"abcdefghi"[n]}.md`,
        `The billing queue retries ${"abcdefghi"[n]} times; change how often with care.`,
      ),
    );
    const { load, keep } = await brief([...queues, ...OTHERS]);
    expect(load).toHaveLength(5);
    expect(
      idsOf(keep)
        .slice(0, 4)
        .every((id) => id.startsWith("queue-of")),
    ).toBe(true);
  });

  it("prefers a title that names what the task is about", async () => {
    const [plain, named] = ["notes.md", "Billing queue retries"].map((title, n) => ({
      ...chunk(
        `${n}.md`,
        `The billing queue retries ${["three", "three"][n]} times, whatever ${["Mara", "Ilse"][n]} says of it.`,
      ),
      title,
    }));
    if (plain === undefined || named === undefined) throw new Error("Two were made.");
    expect(idsOf((await brief([plain, named, ...OTHERS])).load)[0]).toBe("1.md");
  });

  it("takes what is archived for what it is: not out of date", async () => {
    const archived = chunk(
      "archive/queue.md",
      "Whoever wants the billing queue to retry more often has to change the worker.",
    );
    const marked = chunk("worker.md", "The worker of the billing queue retries when it is told to.", {
      status: "Archived",
    });
    const { load, keep, ignore } = await brief([QUEUE, archived, marked, ...OTHERS]);
    const shown = [...load, ...keep];
    expect(idsOf(shown)).toEqual(expect.arrayContaining(["archive/queue.md", "worker.md"]));
    expect(shown.find(({ id }) => id === "worker.md")?.why).toMatch(/^Archived\./u);
    expect(idsOf(ignore)).not.toContain("worker.md");
  });

  it("lists no copy of what it lists", async () => {
    const { load, keep, ignore } = await brief([QUEUE, { ...QUEUE, id: "copy.md", documentId: "copy.md" }, ...OTHERS]);
    const ids = idsOf([...load, ...keep, ...ignore]);
    expect(ids.filter((id) => id === "queue.md" || id === "copy.md")).toHaveLength(1);
  });
});
