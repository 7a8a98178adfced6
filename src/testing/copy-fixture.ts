import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { WinnowError } from "../core/errors.ts";
import { openCollectionSource, openCollectionTarget } from "../retrieval/copy/collection-ends.ts";
import type { CopySource, CopyTarget } from "../retrieval/copy/copy-ends.ts";
import { type CopyOptions, copyRows } from "../retrieval/copy/copy-rows.ts";
import { openFolderSource } from "../retrieval/copy/folder-source.ts";
import { openFolderTarget } from "../retrieval/copy/folder-target.ts";
import { openCorpusWriter } from "../retrieval/corpus/corpus-writer.ts";
import { indexedText } from "../retrieval/corpus/indexed-text.ts";
import type { CorpusIdentity, StoreKind } from "../retrieval/corpus/manifest.ts";
import { ANALYZER_NAME, analyzeText } from "../retrieval/lexical/analyze.ts";
import type { StoreRow } from "../retrieval/store/store.ts";
import { type MemoryCollection, memoryServer } from "./memory-chroma.ts";
import { lineChunks } from "./memory-source.ts";

/** Documents of a corpus that tests copy. */
export const DOCUMENTS = 11;
/** Chunks of each. */
export const LINES = 4;
export const CHUNKS = DOCUMENTS * LINES;
const LIMITS = { appendRowsMax: 5, commitRowsMax: 10 };
export const numberedIdentity: CorpusIdentity = {
  ...{ chunker: "lines", tokenCounter: "words", analyzer: ANALYZER_NAME },
  embedder: { name: "made:3", dimension: 3 },
};

const { signal } = new AbortController();

/** Brings a corpus to documents of four lines; a text without a vector is among them, and one that is not well formed. */
export async function writeNumbered(folder: string, documents: number, from = 0): Promise<void> {
  await mkdir(join(folder, ".."), { recursive: true });
  const writer = await openCorpusWriter(folder, { identity: numberedIdentity });
  for (let i = from; i < documents; i++) {
    const key = `d${String(i).padStart(2, "0")}`;
    const lines = Array.from({ length: LINES }, (_, line) => `line${line} of number${i}${i === 3 ? "\ud800" : ""}\n`);
    const text = lines.join("");
    const metadata = { path: key, n: i, tags: ["a", `t${i % 3}`] };
    const document = { id: key, uri: key, title: `Title ${i}`, format: "text" as const, text, metadata };
    const chunks = lineChunks(document, 1);
    const rows = chunks.map((chunk, line) => ({
      ...{ chunk, item: key, terms: analyzeText(indexedText(chunk)) },
      vector: i === 5 ? null : Float32Array.of(i, line, 0.25),
    }));
    await writer.append(key, [document], rows);
    const counts = { documents: 1, chunks: LINES, tokens: 12, textBytes: Buffer.byteLength(text) };
    writer.setItem({ ...counts, key, source: "files", state: "indexed", bytes: text.length, mtimeMs: 1, hash: text });
  }
  writer.setSources([{ type: "files", roots: [""], excluded: [] }]);
  await writer.finish(0);
  await writer.close();
}

/** Every row of a source by id; throws where one stands there twice. Closes the source. */
export async function rowsIn(source: CopySource): Promise<Map<string, StoreRow>> {
  const rows = new Map<string, StoreRow>();
  let count = 0;
  for await (const part of source.rows(signal)) {
    for (const row of part) {
      rows.set(row.chunk.id, row);
      count++;
    }
  }
  await source.close();
  if (count !== rows.size) throw new Error(`Of ${count} rows ${rows.size} are distinct.`);
  return rows;
}

/** A place of some kind that is copied to, time and again. */
export interface Place {
  open(corpus: CopySource["corpus"]): Promise<CopyTarget>;
  /** Rejects while there is no whole copy. */
  source(): Promise<CopySource>;
}

let made = 0;
/** A new folder below `base`. */
export function folderPlace(base: string, kind: StoreKind): Place & { readonly folder: string } {
  const folder = join(base, `copy-${++made}`, ".winnow");
  return {
    folder,
    open: (corpus) => openFolderTarget(folder, corpus, kind),
    source: () => openFolderSource(folder),
  };
}

/** A collection on a server in memory. */
export function chromaPlace(collections = new Map<string, MemoryCollection>()): Place {
  const connection = memoryServer(collections);
  return {
    open: (corpus) => openCollectionTarget(connection, "notes", corpus),
    source: () => openCollectionSource(connection, "notes"),
  };
}

/** Copies what `from` opens to a place, through targets that `wrap` may spoil. */
export async function copyTo(
  from: () => Promise<CopySource>,
  to: Place,
  options: Partial<CopyOptions> = {},
  wrap = (target: CopyTarget) => target,
): Promise<number> {
  const source = await from();
  try {
    const target = await to.open(source.corpus);
    try {
      return await copyRows(source, wrap(target), { signal, ...LIMITS, ...options });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** A target that fails at one call, before it is done or after; `log` gets the chunks that were appended and committed. */
export function failingTarget(at: { readonly method: string; readonly nth: number; readonly late: boolean }, log: Log) {
  const seen: Record<string, number> = {};
  return (target: CopyTarget): CopyTarget => {
    const guard = async (method: string, work: () => Promise<void>): Promise<void> => {
      seen[method] = (seen[method] ?? 0) + 1;
      const fails = method === at.method && seen[method] === at.nth;
      if (fails && !at.late) throw new WinnowError("store_failed", "gone");
      await work();
      if (fails) throw new WinnowError("store_failed", "gone");
    };
    return {
      held: target.held,
      isWhole: target.isWhole,
      append: (rows) =>
        guard("append", async () => {
          await target.append(rows, signal);
          log.appended.push(...rows.map(({ chunk }) => chunk.id));
        }),
      commit: () =>
        guard("commit", async () => {
          await target.commit();
          log.safe = log.appended.length;
        }),
      finish: () => guard("finish", () => target.finish(signal)),
      close: () => target.close(),
    };
  };
}
/** What came to a target. */
export interface Log {
  readonly appended: string[];
  /** How many of them are safe. */
  safe: number;
}
