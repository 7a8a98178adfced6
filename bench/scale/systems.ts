// What is asked: our corpus in its three modes, and the peers that answer the same queries over the same rows.
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { queryEmbedder, STATIC_EMBEDDER } from "../../src/features/indexing/embedders.ts";
import { connectChroma } from "../../src/retrieval/chroma/connection.ts";
import { launchServer } from "../../src/retrieval/chroma/server/launch.ts";
import { corpusLayout } from "../../src/retrieval/corpus/layout.ts";
import { readManifest } from "../../src/retrieval/corpus/manifest.ts";
import { openCorpus } from "../../src/retrieval/corpus/open-corpus.ts";
import { openFolderStore } from "../../src/retrieval/corpus/store-of.ts";
import type { FindMode } from "../../src/retrieval/corpus-reader.ts";
import { chunkKey } from "../../src/retrieval/corpus-reader.ts";
import { fuse } from "../../src/retrieval/find/fuse.ts";
import { loadSqlite } from "../../src/retrieval/store/sqlite/load-sqlite.ts";
import type { StoreRow } from "../../src/retrieval/store/store.ts";

/** What a search of ten documents asks for, and the candidates of each half that this takes. */
export const CHUNKS_ASKED = 30;
const CANDIDATES = 3 * CHUNKS_ASKED;
const CORPUS_NAME = "scale";
const CHROMA_BATCH = 1_000;
/** Rows of one transaction. */
const SQLITE_BATCH = 10_000;

/** Ids of the chunks found, best first, none of them excluded. */
export type Ask = (query: string, excluded: ReadonlySet<string>, limit?: number) => Promise<readonly string[]>;

export interface System {
  readonly name: string;
  readonly ask: Ask;
}

export interface Opened {
  readonly systems: readonly System[];
  readonly close: () => Promise<void>;
  /** Seconds that filling it took, where that was done now. */
  readonly fillSeconds?: number;
}

const embedQuery = queryEmbedder();
const vectorOf = (query: string): Promise<Float32Array> => embedQuery(query, STATIC_EMBEDDER, undefined);

export async function openOurs(folder: string): Promise<Opened> {
  const corpus = await openCorpus(folder, { name: CORPUS_NAME, embedQuery });
  const ask =
    (mode: FindMode): Ask =>
    async (text, excluded, chunksMax = CHUNKS_ASKED) => {
      const exclude = new Set([...excluded].map((id) => chunkKey(CORPUS_NAME, id)));
      const { hits } = await corpus.find({ text, mode, chunksMax, ...(exclude.size > 0 && { exclude }) });
      return hits.map(({ chunk }) => chunk.id);
    };
  const systems = (["lexical", "dense", "hybrid"] as const).map((mode) => ({ name: mode, ask: ask(mode) }));
  return { systems, close: () => corpus.close() };
}

/** Every row of a corpus with its vector. */
async function* rowsOf(folder: string): AsyncGenerator<StoreRow> {
  const layout = corpusLayout(folder);
  const committed = await readManifest(layout);
  if (committed === undefined) throw new Error("There is no corpus to take rows from.");
  const store = openFolderStore(layout, committed.manifest.identity);
  const reader = await store.openReader(committed.manifest.store);
  for await (const rows of reader.rows()) yield* rows;
  await reader.close();
  await store.close();
}

/**
 * SQLite as people put it together: a bare FTS5 table of title and text asked with the words of the query joined by OR,
 * vectors in memory compared one by one, both fused. What is excluded is fetched and dropped.
 */
export async function openSqlitePeer(folder: string, file: string, chunks: number): Promise<Opened> {
  const { Database } = await loadSqlite();
  const fresh = !existsSync(file);
  const start = performance.now();
  const database = new Database(file);
  if (fresh) database.exec("CREATE VIRTUAL TABLE chunks USING fts5(title, body, content='')");
  const dimension = STATIC_EMBEDDER.dimension;
  const vectors = new Float32Array(chunks * dimension);
  const ids: string[] = [];
  const insert = database.prepare("INSERT INTO chunks(rowid, title, body) VALUES (?, ?, ?)");
  if (fresh) database.exec("BEGIN");
  for await (const { chunk, vector } of rowsOf(folder)) {
    if (vector != null) vectors.set(vector, ids.length * dimension);
    if (fresh) insert.run([ids.length, chunk.title, chunk.text]);
    ids.push(chunk.id);
    if (fresh && ids.length % SQLITE_BATCH === 0) database.exec("COMMIT; BEGIN");
  }
  insert.finalize();
  if (fresh) database.exec("COMMIT");
  const fillSeconds = (performance.now() - start) / 1_000;
  const match = database.prepare("SELECT rowid FROM chunks WHERE chunks MATCH ? ORDER BY rank LIMIT ?");
  const kept = (found: readonly number[], excluded: ReadonlySet<string>): string[] =>
    found
      .map((i) => ids[i] ?? "")
      .filter((id) => !excluded.has(id))
      .slice(0, CANDIDATES);
  const lexical = (query: string, excluded: ReadonlySet<string>): string[] => {
    const words = [...new Set(query.split(" "))].map((word) => `"${word}"`).join(" OR ");
    const found = match.all([words, CANDIDATES + excluded.size]) as { rowid: number }[];
    return kept(
      found.map(({ rowid }) => Number(rowid)),
      excluded,
    );
  };
  const dense = (vector: Float32Array, excluded: ReadonlySet<string>): string[] =>
    kept(nearest(vectors, vector, CANDIDATES + excluded.size), excluded);
  return {
    ...(fresh && { fillSeconds }),
    systems: [
      { name: "FTS5", ask: async (query, excluded) => lexical(query, excluded) },
      { name: "brute force", ask: async (query, excluded) => dense(await vectorOf(query), excluded) },
      {
        name: "FTS5 + brute force",
        ask: async (query, excluded) => {
          const vector = await vectorOf(query);
          const lists = [{ ids: lexical(query, excluded) }, { ids: dense(vector, excluded) }];
          return fuse(lists, { k: 60 })
            .slice(0, CHUNKS_ASKED)
            .map(({ id }) => id);
        },
      },
    ],
    close: async () => {
      match.finalize();
      database.close();
    },
  };
}

/** Rows of the largest dot products; the vectors have length 1. */
export function nearest(vectors: Float32Array, query: Float32Array, count: number): number[] {
  const dimension = query.length;
  const scores = new Float32Array(vectors.length / dimension);
  for (let row = 0; row < scores.length; row++) {
    const at = row * dimension;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < dimension; i += 4) {
      a += (vectors[at + i] ?? 0) * (query[i] ?? 0);
      b += (vectors[at + i + 1] ?? 0) * (query[i + 1] ?? 0);
      c += (vectors[at + i + 2] ?? 0) * (query[i + 2] ?? 0);
      d += (vectors[at + i + 3] ?? 0) * (query[i + 3] ?? 0);
    }
    scores[row] = a + b + c + d;
  }
  const cut = Float32Array.from(scores).sort()[Math.max(0, scores.length - count)] ?? 0;
  const found: number[] = [];
  for (const [row, score] of scores.entries()) if (score >= cut) found.push(row);
  return found.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0)).slice(0, count);
}

/** A collection of a real Chroma server with the same rows; vectors only, since it ranks no words. */
export async function openChromaPeer(folder: string, base: string, executable: string): Promise<Opened> {
  const data = join(base, "chroma");
  await rm(data, { recursive: true, force: true });
  await mkdir(data, { recursive: true });
  const server = await launchServer({
    executable,
    folder: data,
    logFile: join(base, "chroma.log"),
    environment: process.env,
  });
  const connection = await connectChroma({ address: server.address });
  const collection = await connection.createCollection({ name: CORPUS_NAME, space: "cosine" });
  const start = performance.now();
  let held: { id: string; document: string; embedding: Float32Array; metadata: { path: string } }[] = [];
  for await (const { chunk, vector } of rowsOf(folder)) {
    if (vector == null) continue;
    held.push({ id: chunk.id, document: chunk.text, embedding: vector, metadata: { path: chunk.uri } });
    if (held.length < CHROMA_BATCH) continue;
    await collection.upsert(held);
    held = [];
  }
  if (held.length > 0) await collection.upsert(held);
  const fillSeconds = (performance.now() - start) / 1_000;
  const ask: Ask = async (query, excluded) => {
    const vector = await vectorOf(query);
    const found = await collection.query({
      vector,
      limit: CANDIDATES + excluded.size,
      include: ["documents", "metadatas"],
    });
    return found
      .map(({ id }) => id)
      .filter((id) => !excluded.has(id))
      .slice(0, CANDIDATES);
  };
  return { fillSeconds, systems: [{ name: "Chroma", ask }], close: () => server.close() };
}
