import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CorpusWriter, type CorpusWriterOptions, openCorpusWriter } from "../retrieval/corpus/corpus-writer.ts";
import type { CorpusIdentity } from "../retrieval/corpus/manifest.ts";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { analyzeText } from "../retrieval/lexical/analyze.ts";
import { lineChunks } from "./memory-source.ts";

const IDENTITY: CorpusIdentity = { chunker: "lines", tokenCounter: "words", analyzer: "test", embedder: null };

/** A corpus folder in a temporary place, with real files and the real store. For tests. */
export interface CorpusFixture {
  /** The folder that is indexed. */
  readonly base: string;
  /** Its corpus folder; not made yet. */
  readonly folder: string;
  readonly identity: CorpusIdentity;
  open(more?: Partial<CorpusWriterOptions>): Promise<CorpusWriter>;
  /** Commits a corpus of these texts, ready to be searched. */
  build(texts: Readonly<Record<string, string>>): Promise<void>;
  /** Ids of the documents that hold any of these words, in order of id. */
  found(text: string, corpus?: CorpusReader): Promise<string[]>;
  remove(): Promise<void>;
}

export async function corpusFixture(): Promise<CorpusFixture> {
  const base = await mkdtemp(join(tmpdir(), "winnow-corpus-"));
  const folder = join(base, ".winnow");
  const open = (more: Partial<CorpusWriterOptions> = {}) => openCorpusWriter(folder, { identity: IDENTITY, ...more });
  return {
    base,
    folder,
    identity: IDENTITY,
    open,
    async build(texts) {
      const writer = await open();
      for (const [key, text] of Object.entries(texts)) await putText(writer, key, text);
      writer.setSources([{ type: "files", roots: [""], excluded: [] }]);
      await writer.finish(0);
      await writer.close();
    },
    async found(text, corpus) {
      const opened = corpus ?? (await openCorpus(folder));
      const { hits } = await opened.find({ text, mode: "lexical", chunksMax: 100 });
      if (corpus === undefined) await opened.close();
      return [...new Set(hits.map(({ chunk }) => chunk.documentId))].sort();
    },
    remove: () => rm(base, { recursive: true, force: true }),
  };
}

/** Stages an item that is one document of this text. */
export async function putText(writer: CorpusWriter, key: string, text: string): Promise<void> {
  const document = { id: key, uri: key, title: key, format: "text" as const, text, metadata: { path: key } };
  const chunks = lineChunks(document);
  const rows = chunks.map((chunk) => ({ chunk, item: key, terms: analyzeText(chunk.text) }));
  await writer.append(key, [document], rows);
  writer.setItem({
    key,
    source: "files",
    state: "indexed",
    bytes: text.length,
    mtimeMs: 1,
    hash: text,
    documents: 1,
    chunks: rows.length,
    tokens: chunks.reduce((sum, { tokens }) => sum + tokens, 0),
    textBytes: Buffer.byteLength(text),
  });
}
