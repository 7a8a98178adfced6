import { open } from "node:fs/promises";
import { readDocuments, readSegmentIndex } from "../grep/segment.ts";
import type { StoreReader } from "../store/store.ts";
import { type CorpusLayout, grepSegmentOf } from "./layout.ts";
import { documentIdsOf, type ManifestItem } from "./manifest.ts";

/** Documents whose texts are read from the store at once. */
const STORE_DOCUMENTS_MAX = 100;

export interface GrepText {
  readonly id: string;
  readonly text: string;
}

export interface GrepRewrite {
  readonly layout: CorpusLayout;
  /** The items whose documents are written anew; each names the segment that holds them now. */
  readonly items: readonly ManifestItem[];
  /** Segments that cannot be read. */
  readonly damaged: ReadonlySet<number>;
  /** Opened only where a segment cannot be read. */
  readonly reader: () => Promise<StoreReader>;
}

/**
 * The texts of items whose grep segments are to be written anew. They are copied from those segments: asking the store
 * for the chunks of each document would walk over all rows that its indexes do not hold yet, which during a long run are
 * half of the corpus. Only where a segment cannot be read are texts put together from their chunks, which tile them.
 */
export async function* rewrittenTexts({ layout, items, damaged, reader }: GrepRewrite): AsyncGenerator<GrepText> {
  const bySegment = new Map<number, string[]>();
  for (const item of items) {
    const ids = bySegment.get(item.segment) ?? [];
    for (const id of documentIdsOf(item)) ids.push(id);
    bySegment.set(item.segment, ids);
  }
  for (const [segment, ids] of bySegment) {
    const folder = grepSegmentOf(layout, segment);
    const index = damaged.has(segment) ? undefined : await readSegmentIndex(folder).catch(() => undefined);
    if (index === undefined) {
      yield* textsOfChunks(await reader(), ids);
      continue;
    }
    const live = new Set(ids);
    const file = await open(index.path, "r");
    try {
      let position = 0;
      for await (const bytes of readDocuments(file, index)) {
        const id = index.ids[position++] ?? "";
        if (live.has(id)) yield { id, text: bytes.toString("utf8") };
      }
    } finally {
      await file.close();
    }
  }
}

async function* textsOfChunks(reader: StoreReader, ids: readonly string[]): AsyncGenerator<GrepText> {
  for (let i = 0; i < ids.length; i += STORE_DOCUMENTS_MAX) {
    const texts = new Map<string, string>();
    for (const chunk of await reader.chunksOf(ids.slice(i, i + STORE_DOCUMENTS_MAX))) {
      texts.set(chunk.documentId, (texts.get(chunk.documentId) ?? "") + chunk.text);
    }
    for (const [id, text] of texts) yield { id, text };
  }
}
