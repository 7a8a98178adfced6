import { lanceStore } from "../store/lance/lance-store.ts";
import type { Store } from "../store/store.ts";
import type { CorpusLayout } from "./layout.ts";
import type { CorpusIdentity } from "./manifest.ts";

/** The store of a corpus folder. */
export function openFolderStore(layout: CorpusLayout, identity: CorpusIdentity): Store {
  const vectorDimension = identity.embedder?.dimension;
  return lanceStore({ folder: layout.storeFolder, ...(vectorDimension === undefined ? {} : { vectorDimension }) });
}
