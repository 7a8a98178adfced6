import { createHash } from "node:crypto";
import { shownText } from "../core/text.ts";
import type { Chunk, SourceDocument } from "../core/types.ts";
import type { ReadOutcome, SkipReason, Source, SourceItem } from "../sources/source.ts";

export interface MemoryFile {
  readonly text: string;
  readonly mtimeMs: number;
  /** Makes `read` skip it. */
  readonly skip?: SkipReason;
  /** Makes the listing itself skip it. */
  readonly skipListed?: SkipReason;
  /** Makes `read` throw. */
  readonly fail?: string;
  /** Documents instead of the one that is the file: id by text. */
  readonly rows?: Readonly<Record<string, string>>;
}

/** A source of files that are kept in a map, and how often they were read and hashed. For tests. */
export interface MemorySource extends Source {
  readonly files: Map<string, MemoryFile>;
  readonly calls: { read: number; hash: number };
}

export function memorySource(files: Readonly<Record<string, MemoryFile>> = {}): MemorySource {
  const kept = new Map(Object.entries(files));
  const calls = { read: 0, hash: 0 };
  const hashOf = (file: MemoryFile): string =>
    createHash("sha256")
      .update(JSON.stringify([file.text, file.rows]))
      .digest("hex");
  return {
    type: "files",
    files: kept,
    calls,
    async *list(signal) {
      for (const [key, file] of [...kept].sort(([a], [b]) => (a < b ? -1 : 1))) {
        signal.throwIfAborted();
        if (file.skipListed !== undefined) yield { skipped: { key, reason: file.skipListed, detail: "As asked." } };
        else yield { item: { key, location: `/${key}`, bytes: Buffer.byteLength(file.text), mtimeMs: file.mtimeMs } };
      }
    },
    async hash(item) {
      calls.hash++;
      const file = kept.get(item.key);
      return file && hashOf(file);
    },
    async read(item: SourceItem, signal): Promise<ReadOutcome> {
      signal.throwIfAborted();
      calls.read++;
      const file = kept.get(item.key);
      if (file === undefined) return { skipped: { key: item.key, reason: "vanished", detail: "It is gone." } };
      if (file.fail !== undefined) throw new Error(file.fail);
      const hash = hashOf(file);
      if (file.skip !== undefined) return { skipped: { key: item.key, reason: file.skip, detail: "As asked." }, hash };
      const documents = Object.entries(file.rows ?? { [item.key]: file.text });
      return { documents: documents.map(([id, text]) => documentOf(item.key, id, text)), hash, notes: [] };
    },
  };
}

function documentOf(key: string, id: string, text: string): SourceDocument {
  const title = id.replace(/\.[a-z]+$/, "");
  return { id, uri: `/${key}`, title, format: "text", text, metadata: { path: key, units: text.length } };
}

/** Chunks of a few lines each that tile the document; a token is a word. For tests. */
export function lineChunks(document: SourceDocument, linesEach = 3): Chunk[] {
  const lines = document.text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const count = Math.ceil(lines.length / linesEach);
  let start = 0;
  return Array.from({ length: count }, (_, index) => {
    const text = lines.slice(index * linesEach, (index + 1) * linesEach).join("");
    const chunk: Chunk = {
      id: `${document.id}:${index}`,
      documentId: document.id,
      index,
      count,
      start,
      end: start + text.length,
      line: index * linesEach + 1,
      text,
      tokens: shownText(text).split(/\s+/).length,
      title: document.title,
      headings: [],
      uri: document.uri,
      metadata: document.metadata,
    };
    start += text.length;
    return chunk;
  });
}
