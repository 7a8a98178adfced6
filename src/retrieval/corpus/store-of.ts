import { rm } from "node:fs/promises";
import { lanceStore } from "../store/lance/lance-store.ts";
import { sqliteStore } from "../store/sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import type { CorpusLayout } from "./layout.ts";
import type { CorpusIdentity, StoreKind } from "./manifest.ts";

/** What a corpus is kept in that does not say. */
const DEFAULT_STORE: StoreKind = "lance";

export function storeKindOf({ store = DEFAULT_STORE }: Pick<CorpusIdentity, "store">): StoreKind {
  return store;
}

/** The store of a corpus folder. */
export function openFolderStore(layout: CorpusLayout, identity: CorpusIdentity): Store {
  const vectorDimension = identity.embedder?.dimension;
  const dimension = vectorDimension === undefined ? {} : { vectorDimension };
  return storeKindOf(identity) === "sqlite"
    ? sqliteStore({ folder: layout.sqliteFolder, ...dimension })
    : lanceStore({ folder: layout.storeFolder, ...dimension });
}

/** Deletes what a corpus that was built anew in another store has left in the one before. */
export async function removeOtherStores(layout: CorpusLayout, identity: CorpusIdentity): Promise<void> {
  const other = storeKindOf(identity) === "sqlite" ? layout.storeFolder : layout.sqliteFolder;
  await rm(other, { recursive: true, force: true });
}
