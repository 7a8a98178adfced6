import { createHash } from "node:crypto";
import { WinnowError } from "../../core/errors.ts";
import { corpusLayout } from "../corpus/layout.ts";
import { baseOf, readItems, readManifest } from "../corpus/manifest.ts";
import { openFolderStore } from "../corpus/store-of.ts";
import type { CopySource } from "./copy-ends.ts";

/** The committed state of a corpus folder. Rejects as opening it does. */
export async function openFolderSource(folder: string): Promise<CopySource> {
  const layout = corpusLayout(folder);
  const manifest = (await readManifest(layout))?.manifest;
  if (manifest === undefined) {
    throw new WinnowError("corpus_not_found", `There is no finished index in ${folder}.`, {
      hint: "Run `winnow index` to build it.",
    });
  }
  const items = await readItems(layout, manifest);
  const store = openFolderStore(layout, manifest.identity);
  const reader = await store.openReader(manifest.store);
  const { identity, generation, updatedAt, chunks, metadataKeys, sources } = manifest;
  return {
    corpus: {
      mark: markOf([folder, generation, updatedAt, chunks, identity]),
      ...{ identity, chunks, metadataKeys, sources, items, base: baseOf(layout, manifest) },
    },
    rows: (signal) => reader.rows(signal),
    async isOutdated() {
      const now = (await readManifest(layout))?.manifest;
      return now?.generation !== generation || now.updatedAt !== updatedAt;
    },
    async close() {
      await reader.close();
      await store.close();
    },
  };
}

export function markOf(state: unknown): string {
  return createHash("sha256").update(JSON.stringify(state)).digest("hex");
}
