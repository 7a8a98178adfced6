import type { StoreRow } from "../retrieval/store/store.ts";

/** A row with one chunk that stands for a whole document, unless said otherwise. */
export function storeRow(id: string, terms: string, more: Partial<StoreRow["chunk"]> & RowExtras = {}): StoreRow {
  const { item = `${id}.md`, vector = null, ...chunk } = more;
  return {
    item,
    terms: terms.split(" ").filter((term) => term !== ""),
    vector: vector === null ? null : Float32Array.from(vector),
    chunk: {
      id,
      documentId: `${id}.md`,
      index: 0,
      count: 1,
      start: 0,
      end: terms.length,
      line: 1,
      text: terms,
      tokens: 3,
      title: `Title ${id}`,
      headings: ["One", "Two"],
      uri: `/corpus/${id}.md`,
      metadata: {},
      ...chunk,
    },
  };
}

interface RowExtras {
  readonly item?: string;
  readonly vector?: readonly number[] | null;
}
