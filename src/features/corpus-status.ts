import { stat } from "node:fs/promises";
import { corpusLayout } from "../retrieval/corpus/layout.ts";
import { readItems, readManifest } from "../retrieval/corpus/manifest.ts";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import type { CorpusInfo } from "../retrieval/corpus-reader.ts";
import { UNINDEXED_ROWS_MAX } from "../retrieval/store/lance/lance-store.ts";
import type { CorpusPlace } from "./open-corpora.ts";
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
  /** Rows that no index of the store holds yet, and whether they are few enough for full speed. */
  readonly unindexed: number;
  readonly ready: boolean;
  readonly runs: number;
  readonly identity: { readonly chunker: string; readonly analyzer: string };
  /** Process that is writing now, if any. */
  readonly writing: boolean;
}

/** What a corpus holds, from its manifest: no document is opened. Rejects with `corpus_corrupt`, `corpus_format`. */
export async function corpusStatus({ name, folder }: CorpusPlace): Promise<CorpusStatus> {
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
      unindexed,
      ready: unindexed <= UNINDEXED_ROWS_MAX,
      runs: (await runFiles([layout.runsFolder])).length,
      identity: { chunker: read?.manifest.identity.chunker ?? "", analyzer: read?.manifest.identity.analyzer ?? "" },
      writing: await exists(layout.lockFile),
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
