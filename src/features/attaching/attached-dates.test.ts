import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ChromaEntry } from "../../config/corpora.ts";
import { parseFilter } from "../../core/filter-parse.ts";
import { ChromaPlaces } from "../../retrieval/chroma/shared-places.ts";
import { MemoryCollection, memoryChroma } from "../../testing/memory-chroma.ts";
import { recentDocuments } from "../recent-documents.ts";
import { sinceFilter } from "../since-filter.ts";
import { indexAttached } from "./index-attached.ts";
import { openAttached } from "./open-attached.ts";

const NOW = Date.UTC(2026, 8, 20);
const SEPTEMBER = Date.UTC(2026, 8, 14, 12) / 1_000;
const MARCH = Date.UTC(2026, 2, 14, 12) / 1_000;

test.each<[string, (seconds: number) => string | number]>([
  ["updated_at", (seconds) => new Date(seconds * 1_000).toISOString()],
  ["updatedAt", (seconds) => seconds],
  ["mtime", (seconds) => seconds * 1_000],
  ["ts", (seconds) => seconds + 0.5],
])("a collection whose dates stand under %s is filtered and listed by them", async (key, written) => {
  const folder = mkdtempSync(join(tmpdir(), "winnow-dates-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  // Two records of one document: the later one says when it changed. All were made long ago.
  const record = (path: string, part: number, seconds: number) => ({
    id: `${path}::${part}`,
    document: `a lantern in ${path}`,
    metadata: { path, n: part, created_at: "2019-09-09", [key]: written(seconds - part * 3_600) },
  });
  const docs = [record("new.md", 0, SEPTEMBER), record("new.md", 1, SEPTEMBER), record("old.md", 0, MARCH)];
  const collection = new MemoryCollection({ name: "docs" }, docs);
  const entry: ChromaEntry = {
    ...{ kind: "chroma", place: "http://127.0.0.1:8000", collection: "docs", role: "documents" },
    ...{ documentKey: "path", orderKey: "n", embedder: "none", inPlace: false, indexFolder: join(folder, "docs") },
  };
  const places = new ChromaPlaces({ open: async () => memoryChroma([collection]) });
  await indexAttached({ name: "docs", entry, places, environment: {} });
  const embedQuery = async () => Float32Array.of();
  const corpus = await openAttached({ name: "docs", entry, places, environment: {}, embedQuery });
  onTestFinished(() => corpus.close());
  for (const where of [sinceFilter("2026-09"), "modified>=2026-09", "modified=2026-09-14", `${key}>=2026-09`]) {
    const found = await corpus.find({ text: "lantern", mode: "lexical", chunksMax: 9, where: parseFilter([where]) });
    expect(new Set(found.hits.map(({ chunk }) => chunk.documentId)), where).toEqual(new Set(["new.md"]));
  }
  const recent = await recentDocuments([corpus], { now: NOW });
  expect(recent).toMatchObject({ documents: 1, undated: 0 });
  expect(recent.groups[0]?.tags[0]?.documents[0]?.date).toMatch(/^2026-09-14T12:00:00/);
  expect(await recentDocuments([corpus], { now: NOW, since: "2026-01" })).toMatchObject({ documents: 2, undated: 0 });
});
