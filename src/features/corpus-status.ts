import { stat } from "node:fs/promises";
import { corpusLayout } from "../retrieval/corpus/layout.ts";
import { readItems, readManifest, type StoreKind } from "../retrieval/corpus/manifest.ts";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import { storeKindOf } from "../retrieval/corpus/store-of.ts";
import type { CorpusInfo } from "../retrieval/corpus-reader.ts";
import { unindexedRowsMax } from "../retrieval/store/lance/lance-store.ts";
import { type AttachedStatus, attachedStatus } from "./attaching/attached-status.ts";
import { redactedIn } from "./indexing/progress.ts";
import type { CorpusPlace } from "./open-corpora.ts";
import { mirroredStatus, type PublishedStatus } from "./publishing/published-status.ts";
import { runFiles } from "./runs.ts";

export interface SkippedItem {
  readonly key: string;
  readonly state: "skipped" | "failed";
  readonly reason: string;
  readonly detail: string;
}

export interface CorpusStatus extends CorpusInfo {
  readonly updatedAt: string;
  readonly sources: readonly { readonly type: string; readonly roots: readonly string[] }[];
  /** Items by state. */
  readonly items: { readonly indexed: number; readonly skipped: number; readonly failed: number };
  readonly skippedByReason: Readonly<Record<string, number>>;
  readonly skipped: readonly SkippedItem[];
  /** What is worth knowing of items that were indexed, e.g. that only the beginning of one was. */
  readonly notes: readonly { readonly key: string; readonly note: string }[];
  /** Secrets that were replaced before anything was kept, by kind. */
  readonly redacted: Readonly<Record<string, number>>;
  /** Rows that no index of the store holds yet, and whether they are few enough for full speed. */
  readonly unindexed: number;
  readonly ready: boolean;
  readonly runs: number;
  readonly identity: { readonly chunker: string; readonly analyzer: string };
  /** What keeps the chunks. */
  readonly store: StoreKind;
  /** Of a copy: the folder whose index it is a copy of. */
  readonly copiedFrom?: string;
  /** Process that is writing now, if any. */
  readonly writing: boolean;
  /** Present for an attached collection. */
  readonly attached?: AttachedStatus;
  /** Present for a published index. */
  readonly published?: PublishedStatus;
}

/**
 * What a corpus holds, from its manifest: no document is opened. A published index is fetched first. Rejects with
 * `corpus_corrupt`, `corpus_format`, and for a published index as opening it does.
 */
export async function corpusStatus(place: CorpusPlace): Promise<CorpusStatus> {
  if (place.published === undefined) return folderStatus(place);
  const { folder, ...published } = await mirroredStatus(place.name, place.published);
  const runs = await runFiles([place.runsFolder]);
  const status = await folderStatus({ name: place.name, folder });
  return { ...status, location: place.published.address, runs: runs.length, writing: false, published };
}

async function folderStatus({
  name,
  folder,
  attached,
}: Pick<CorpusPlace, "name" | "folder" | "attached">): Promise<CorpusStatus> {
  const layout = corpusLayout(folder);
  const corpus = await openCorpus(folder, { name });
  try {
    const info = await corpus.info();
    const read = await readManifest(layout);
    const items = read === undefined ? [] : await readItems(layout, read.manifest);
    const skipped = items.flatMap(({ key, state, reason = "", detail = "" }): SkippedItem[] =>
      state === "indexed" ? [] : [{ key, state, reason, detail }],
    );
    const skippedByReason: Record<string, number> = {};
    for (const { reason } of skipped) skippedByReason[reason] = (skippedByReason[reason] ?? 0) + 1;
    const unindexed = read?.manifest.unindexed ?? 0;
    return {
      ...info,
      updatedAt: read?.manifest.updatedAt ?? "",
      sources: read?.manifest.sources ?? [],
      items: {
        indexed: items.length - skipped.length,
        skipped: skipped.filter((item) => item.state === "skipped").length,
        failed: skipped.filter((item) => item.state === "failed").length,
      },
      skippedByReason,
      skipped,
      notes: items.flatMap(({ key, notes = [] }) => notes.map((note) => ({ key, note }))),
      redacted: redactedIn(items),
      unindexed,
      ready: unindexed <= unindexedRowsMax(info.chunks),
      runs: (await runFiles([layout.runsFolder])).length,
      identity: { chunker: read?.manifest.identity.chunker ?? "", analyzer: read?.manifest.identity.analyzer ?? "" },
      store: storeKindOf(read?.manifest.identity ?? {}),
      ...(read?.manifest.copiedFrom !== undefined && { copiedFrom: read.manifest.copiedFrom }),
      writing: await exists(layout.lockFile),
      ...(attached && { attached: await attachedStatus(name, attached) }),
    };
  } finally {
    await corpus.close();
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}
