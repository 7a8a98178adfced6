import { describe, expect, it } from "vitest";
import { rulesPolicy } from "../agent/policies/rules/rules.ts";
import type { Chunk, Metadata } from "../core/types.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { briefTask } from "./brief-task.ts";

function chunk(id: string, text: string, metadata: Metadata = {}): Chunk {
  const place = { index: 0, count: 1, start: 0, end: text.length, line: 1 };
  return { id, documentId: id, ...place, text, tokens: 20, title: id, headings: [], uri: id, metadata };
}

const corpus = memoryCorpus("docs", [
  chunk("queue.md", "The billing queue retries three times before it gives up.", { modified: "2026-03-01" }),
  chunk("queue-old.md", "The billing queue retries five times before it gives up.", { status: "Superseded" }),
  ...Array.from({ length: 30 }, (_, n) =>
    chunk(`other-${n}.md`, `Number ${n} of the notes that mention billing once.`),
  ),
]);

describe("briefTask", () => {
  it("sorts documents into three groups, each once, and sets aside what is out of date", async () => {
    const brief = await briefTask({
      task: "Change how often the billing queue retries",
      corpora: [corpus],
      policy: () => rulesPolicy(),
      profile: "chat",
    });
    expect(brief.load[0]).toMatchObject({ id: "queue.md", date: "2026-03-01T00:00:00.000Z" });
    expect(brief.ignore[0]).toMatchObject({ id: "queue-old.md", why: "its status is superseded" });
    const ids = [...brief.load, ...brief.keep, ...brief.ignore].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(brief.keep.length).toBeGreaterThan(0);
  });
});
