// What rows outside the index cost a query by words: `node scripts/bench.mjs unindexed-rows CORPUS [ROWS…]`, the folder of
// an index in Lance, e.g. one that the scale bench made. Works on a copy: more and more rows are added to it without
// indexing them, and each version is asked the same queries by turns.
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { markdownTable } from "../src/features/report-table.ts";
import { corpusLayout } from "../src/retrieval/corpus/layout.ts";
import { readManifest } from "../src/retrieval/corpus/manifest.ts";
import { analyzeQuery, analyzeText } from "../src/retrieval/lexical/analyze.ts";
import { lanceStore } from "../src/retrieval/store/lance/lance-store.ts";
import type { StoreReader, StoreRow } from "../src/retrieval/store/store.ts";
import { percentile } from "./scale/measure.ts";
import { ScaleTexts } from "./scale/texts.ts";

const QUERIES = 80;
const CANDIDATES = 90;
const WORDS = 330;

const [folder = "", ...given] = process.argv.slice(2);
const counts = given.length > 0 ? given.map(Number) : [0, 4, 10, 32, 100, 320];
const layout = corpusLayout(resolve(folder));
const committed = await readManifest(layout);
if (committed === undefined) throw new Error("There is no index in that folder.");
const { store: at, identity, chunks } = committed.manifest;
const copy = await mkdtemp(join(tmpdir(), "winnow-unindexed-"));
const texts = new ScaleTexts(3);

function row(i: number): StoreRow {
  const text = texts.document(WORDS / 8);
  const id = `new${i}`;
  const place = { index: 0, count: 1, start: 0, end: text.length, line: 1, tokens: 512, headings: [], metadata: {} };
  return {
    chunk: { ...place, id, documentId: id, text, title: "", uri: "" },
    item: id,
    terms: analyzeText(text),
    vector: null,
  };
}

try {
  await cp(layout.storeFolder, copy, { recursive: true });
  const store = lanceStore({ folder: copy, vectorDimension: identity.embedder?.dimension ?? 0 });
  const writer = await store.openWriter(at);
  const readers: StoreReader[] = [];
  let held = 0;
  for (const count of counts) {
    await writer.append(Array.from({ length: count - held }, (_, i) => row(held + i)));
    held = count;
    readers.push(await store.openReader(await writer.commit()));
  }
  const times = readers.map(() => [] as number[]);
  for (let i = -readers.length; i < QUERIES; i++) {
    const terms = analyzeQuery(texts.query());
    for (const j of readers.keys()) {
      const turn = (i + readers.length + j) % readers.length;
      const start = performance.now();
      await readers[turn]?.lexical({ terms, limit: CANDIDATES });
      if (i >= 0) times[turn]?.push(performance.now() - start);
    }
  }
  const floor = percentile(times[0] ?? [], 0.5);
  const rows = counts.map((count, i) => {
    const p50 = percentile(times[i] ?? [], 0.5);
    return [`${count}`, p50.toFixed(1), (p50 / floor).toFixed(2)];
  });
  console.log(`${chunks} chunks, ${QUERIES} queries by words\n`);
  console.log(markdownTable([["rows outside the index", "p50 ms", `over ${counts[0]}`], ...rows]));
  await writer.close();
  await store.close();
} finally {
  await rm(copy, { recursive: true, force: true });
}
