import type { Store, StoreReader, StoreRow, StoreVersion, StoreWriter } from "../retrieval/store/store.ts";

/** Opens a store that the test removes again. */
export type Open = () => Promise<Store>;

interface Built {
  readonly store: Store;
  readonly writer: StoreWriter;
  readonly at: StoreVersion;
  readonly reader: StoreReader;
}

/** A store with the rows committed, indexed and open for reading. */
export async function build(open: Open, rows: readonly StoreRow[]): Promise<Built> {
  const store = await open();
  const writer = await store.createWriter("chunks");
  await writer.append(rows);
  await writer.optimize();
  const at = await writer.commit();
  return { store, writer, at, reader: await store.openReader(at) };
}

export const ids = (list: { readonly candidates: readonly { readonly id: string }[] }) =>
  list.candidates.map(({ id }) => id);
