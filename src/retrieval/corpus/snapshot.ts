import { WinnowError } from "../../core/errors.ts";
import type { GrepEngine } from "../grep/grep.ts";
import { openGrep } from "../grep/open-grep.ts";
import type { Store, StoreReader } from "../store/store.ts";
import { checkStoreSizes } from "./checksums.ts";
import { type CorpusLayout, grepSegmentOf } from "./layout.ts";
import {
  type CorpusIdentity,
  documentIdsOf,
  type Manifest,
  type ManifestItem,
  readCorpusFile,
  readItems,
  readManifest,
} from "./manifest.ts";
import { damaged, type FileStamp } from "./sealed-file.ts";
import { SharedChunks } from "./shared-chunks.ts";

export type OpenStore = (layout: CorpusLayout, identity: CorpusIdentity) => Store;

/** One generation of a corpus, its parts opened when they are first needed. */
export interface Snapshot {
  readonly manifest: Manifest;
  readonly stamp: FileStamp;
  /** Chunks that calls on this generation have read. */
  readonly seen: SharedChunks;
  readonly items: () => Promise<readonly ManifestItem[]>;
  readonly reader: () => Promise<StoreReader>;
  readonly grep: () => Promise<GrepEngine>;
  readonly close: () => Promise<void>;
}

/**
 * The committed generation of the corpus. Rejects with `corpus_not_found`, `corpus_format` or `corpus_corrupt`; the
 * store itself is opened, and can be found damaged, only at the first query.
 */
export async function loadSnapshot(
  layout: CorpusLayout,
  openStore: (identity: CorpusIdentity) => Store,
): Promise<Snapshot> {
  const identity = await readCorpusFile(layout);
  const committed = await readManifest(layout);
  if (committed === undefined) {
    throw new WinnowError("corpus_not_found", `There is no finished index in ${layout.folder}.`, {
      hint: "Run `winnow index` to build it.",
    });
  }
  if (identity === undefined) throw damaged(layout.corpusFile, "it is missing");
  const { manifest, stamp } = committed;
  let opened = false;
  const reader = once(async () => {
    opened = true;
    await checkStoreSizes(layout, manifest);
    return openStore(manifest.identity).openReader(manifest.store);
  });
  const items = once(() => readItems(layout, manifest));
  return {
    manifest,
    stamp,
    seen: new SharedChunks(),
    items,
    reader,
    grep: once(async () => {
      const segmentOf = new Map<string, number>();
      for (const item of await items()) for (const id of documentIdsOf(item)) segmentOf.set(id, item.segment);
      return openGrep({
        segments: manifest.grep.map(({ segment }) => ({ folder: grepSegmentOf(layout, segment) })),
        isLive: (id, index) => segmentOf.get(id) === manifest.grep[index]?.segment,
      });
    }),
    async close() {
      if (opened) await (await reader().catch(() => undefined))?.close();
    },
  };
}

/** Calls `create` once; a failure is not remembered. */
function once<T>(create: () => Promise<T>): () => Promise<T> {
  let created: Promise<T> | undefined;
  return () => {
    created ??= create().catch((error: unknown) => {
      created = undefined;
      throw error;
    });
    return created;
  };
}
