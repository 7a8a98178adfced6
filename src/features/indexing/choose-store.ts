import { corpusLayout } from "../../retrieval/corpus/layout.ts";
import { readManifest, type StoreKind } from "../../retrieval/corpus/manifest.ts";
import { hasLance } from "../../retrieval/store/lance/load-lance.ts";

export interface ChosenStore {
  /** Undefined: the corpus's own, or the default. */
  readonly store?: StoreKind;
  readonly notice?: string;
}

/**
 * What a corpus is kept in: what is wanted; else its own, where there is one; else Lance, or SQLite where Lance does not
 * run.
 */
export async function chooseStore(
  folder: string,
  wanted: StoreKind | undefined,
  isLanceThere: () => Promise<boolean> = hasLance,
): Promise<ChosenStore> {
  if (wanted !== undefined) return { store: wanted };
  // Whatever is wrong with an index that is there is told by whoever opens it.
  const isNew = await readManifest(corpusLayout(folder)).then(
    (found) => found === undefined,
    () => false,
  );
  if (!isNew || (await isLanceThere())) return {};
  const notice = "Lance does not run on this platform: the index is kept in SQLite, which is slower on large corpora.";
  return { store: "sqlite", notice };
}
