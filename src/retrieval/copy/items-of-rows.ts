import type { ManifestItem } from "../corpus/manifest.ts";
import type { StoreReader } from "../store/store.ts";

interface Sums {
  readonly ids: Set<string>;
  chunks: number;
  tokens: number;
  textBytes: number;
}

/** The source items that the rows of a store came from, as far as rows tell: without size, time and hash. */
export async function itemsOfRows(reader: StoreReader, source: string): Promise<readonly ManifestItem[]> {
  const items = new Map<string, Sums>();
  for await (const rows of reader.scan()) {
    for (const { item, chunk } of rows) {
      const sums = items.get(item) ?? { ids: new Set(), chunks: 0, tokens: 0, textBytes: 0 };
      items.set(item, sums);
      sums.ids.add(chunk.documentId);
      sums.chunks++;
      sums.tokens += chunk.tokens;
      sums.textBytes += Buffer.byteLength(chunk.text);
    }
  }
  const sorted = [...items].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return sorted.map(([key, { ids, ...sums }]) => {
    const own = [...ids].sort();
    const counts = { bytes: 0, mtimeMs: 0, documents: own.length, segment: 0, ...sums };
    return { key, source, state: "indexed", ...counts, ...(own.length === 1 && own[0] === key ? {} : { ids: own }) };
  });
}
