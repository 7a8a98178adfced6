import { describe, expect, test } from "vitest";
import type { Chunk, Metadata } from "../core/types.ts";
import { areNearDuplicates, fingerprint } from "../retrieval/find/near-duplicates.ts";
import { readHtml } from "../sources/files/html-document.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { findDocuments } from "./find-documents.ts";

const BERTHS = `A berth is locked while a ship is being loaded. The lock expires after the loading has been idle for one
tide, and the harbour office may then give the berth to the next ship in the queue without asking anybody.`;

/** A document in as many chunks as texts. */
function document(id: string, texts: readonly string[], metadata: Metadata = {}, title = "Berths"): Chunk[] {
  return texts.map((text, index) => ({
    ...{ id: `${id}:${index}`, documentId: id, index, count: texts.length, start: 0, end: text.length, line: 1 },
    ...{ text, tokens: 50, title, headings: [], uri: id, metadata },
  }));
}

const others = Array.from({ length: 20 }, (_, i) =>
  document(`note-${i}.md`, [`Berth ${i} lies empty.`], {}, `Note ${i}`),
).flat();

async function found(corpora: readonly (readonly [name: string, chunks: readonly Chunk[]])[], documentsMax = 3) {
  const { documents } = await findDocuments(
    corpora.map(([name, chunks]) => memoryCorpus(name, chunks)),
    { text: "When does the berth lock expire?", mode: "hybrid", documentsMax },
  );
  return documents;
}

describe("find", () => {
  test("a copy takes no place, is named by the better one, and the list is filled up with others", async () => {
    const documents = await found([
      ["c", [...document("berths.md", [BERTHS]), ...document("berths.html", [BERTHS]), ...others]],
    ]);
    expect(documents).toHaveLength(3);
    expect(documents[0]).toMatchObject({ id: "berths.html", rank: 1, duplicates: [{ corpus: "c", id: "berths.md" }] });
    expect(documents.slice(1).map(({ duplicates }) => duplicates)).toEqual([[], []]);
    expect(documents.map(({ rank }) => rank)).toEqual([1, 2, 3]);
  });

  test("many copies in front do not leave the list short", async () => {
    const copies = Array.from({ length: 30 }, (_, i) => document(`copy-${i}/berths.md`, [BERTHS])).flat();
    const documents = await found([["c", [...copies, ...others]]], 5);
    expect(documents).toHaveLength(5);
    expect(new Set(documents.map(({ title }) => title)).size).toBe(5);
    expect(documents[0]?.duplicates).toHaveLength(29);
  });

  test("documents that share the passage and nothing else are two", async () => {
    const parts = [
      [BERTHS, "Anchors are painted red in spring."],
      [BERTHS, "Ropes are counted on the last day of the year."],
    ];
    const documents = await found([["c", parts.flatMap((texts, i) => document(`${i}.md`, texts))]]);
    expect(documents.map(({ id }) => id)).toEqual(["1.md", "0.md"]);
  });

  test("copies in two corpora are one, named with their corpus", async () => {
    const documents = await found([
      ["one", document("berths.md", [BERTHS])],
      ["two", document("berths.md", [BERTHS])],
    ]);
    expect(documents).toHaveLength(1);
    expect(documents[0]).toMatchObject({ corpus: "one", duplicates: [{ corpus: "two", id: "berths.md" }] });
  });

  test("a document that is out of date is no copy of the one that took its place", async () => {
    const old = document("old.md", [BERTHS], { status: "superseded" });
    const documents = await found([["c", [...old, ...document("new.md", [BERTHS])]]]);
    expect(documents.map(({ id }) => id).sort()).toEqual(["new.md", "old.md"]);
  });

  test("of a copy in an archive and one outside of it, the latter takes the place", async () => {
    const documents = await found([["c", [...document("archive/b.md", [BERTHS]), ...document("docs/b.md", [BERTHS])]]]);
    expect(documents).toHaveLength(1);
    expect(documents[0]).toMatchObject({ id: "docs/b.md", rank: 1, duplicates: [{ corpus: "c", id: "archive/b.md" }] });
  });

  test("grep names every place", async () => {
    const corpus = memoryCorpus("c", [...document("berths.md", [BERTHS]), ...document("berths.html", [BERTHS])]);
    const { documents } = await findDocuments([corpus], { text: "expires after", mode: "grep", documentsMax: 5 });
    expect(documents.map(({ id, duplicates }) => [id, duplicates])).toEqual([
      ["berths.html", []],
      ["berths.md", []],
    ]);
  });
});

test("a page and the Markdown that it was made from are near-duplicates as they are indexed", async () => {
  const markdown = `# Berths

A berth is **locked** while a ship is being loaded; see [loading](./loading.md#rules).

- The lock expires after one tide.
- The harbour office may then give the berth to the next ship.

\`\`\`sh
berth unlock --number 4
\`\`\`

| Office | Opens |
|---|---|
| North | 7:30 |
`;
  const html = `<!doctype html><html><head><title>Berths | Harbour</title><style>p{margin:0}</style></head><body>
<nav><a href="/">Home</a> <a href="/cranes">Cranes</a></nav><h1>Berths</h1>
<p>A berth is <b>locked</b> while a ship is being loaded; see <a href="loading.html#rules">loading</a>.</p>
<ul><li>The lock expires after one tide.</li><li>The harbour office may then give the berth to the next ship.</li></ul>
<pre><code>berth unlock --number 4</code></pre>
<table><tr><th>Office</th><th>Opens</th></tr><tr><td>North</td><td>7:30</td></tr></table></body></html>`;
  const page = await readHtml(html, 100);
  const [source, made] = [
    { title: "Berths", text: markdown },
    { title: page.title ?? "", text: page.text },
  ].map(({ title, text }) => fingerprint({ title, passages: [text], isWhole: true, chunks: 1 }));
  if (source === undefined || made === undefined) throw new Error("Nothing was read.");
  expect(areNearDuplicates(source, made)).toBe(true);
});
