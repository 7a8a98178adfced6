import { describe, expect, it } from "vitest";
import type { Chunk, Metadata } from "../core/types.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { recentDocuments } from "./recent-documents.ts";

const NOW = Date.UTC(2026, 10, 20);

function chunk(id: string, metadata: Metadata, text = `About ${id}.`): Chunk {
  const place = { index: 0, count: 1, start: 0, end: text.length, line: 1 };
  return { id, documentId: id, ...place, text, tokens: 3, title: id, headings: [], uri: id, metadata };
}

const corpus = memoryCorpus("docs", [
  chunk("a.md", { modified: "2026-11-19", repository: "kit", tags: ["queues", "rare"] }),
  chunk("b.md", { modified: "2026-11-18", repository: "kit", tags: ["queues"] }),
  chunk("c.md", { fm_date_modified: "2026-11-17", source_repo_slug: "site", fm_tags: "design" }),
  chunk("old.md", { modified: "2025-01-01", repository: "kit" }),
  chunk("undated.md", { repository: "kit" }),
]);

describe("recentDocuments", () => {
  it("groups what moved by repository and by the tag that most share, newest first", async () => {
    const recent = await recentDocuments([corpus], { now: NOW });
    expect(recent).toMatchObject({ since: "2026-11-13T00:00:00.000Z", documents: 3, shown: 3, undated: 1 });
    const shape = recent.groups.map(({ repository, tags }) => [
      repository,
      tags.map(({ tag, documents }) => [tag, documents.map(({ id }) => id)]),
    ]);
    expect(shape).toEqual([
      ["kit", [["queues", ["a.md", "b.md"]]]],
      ["site", [["design", ["c.md"]]]],
    ]);
    expect(recent.groups[0]?.tags[0]?.documents[0]?.line).toBe("About a.md.");
  });

  it("says what it cut, and counts what it does not show", async () => {
    const recent = await recentDocuments([corpus], { now: NOW, since: "2025", documentsMax: 1 });
    expect(recent).toMatchObject({ documents: 4, shown: 1, truncated: true });
    expect(recent.groups).toMatchObject([{ repository: "kit", documents: 3 }]);
  });

  it("filters, and refuses a date or a key that is none", async () => {
    const design = await recentDocuments([corpus], { now: NOW, where: ["repository=kit"], since: "2026-11-19" });
    expect(design.documents).toBe(1);
    await expect(recentDocuments([corpus], { now: NOW, since: "last week" })).rejects.toMatchObject({
      code: "invalid_argument",
    });
    await expect(recentDocuments([corpus], { now: NOW, where: ["repositry=kit"] })).rejects.toMatchObject({
      code: "invalid_filter",
    });
  });
});
