import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  CHUNKS,
  chromaPlace,
  copyTo,
  DOCUMENTS,
  folderPlace,
  numberedIdentity,
  rowsIn,
  writeNumbered,
} from "../../testing/copy-fixture.ts";
import { MemoryCollection, memoryServer } from "../../testing/memory-chroma.ts";
import { openCorpusWriter } from "../corpus/corpus-writer.ts";
import type { StoreRow } from "../store/store.ts";
import { openCollectionSource } from "./collection-ends.ts";
import { openFolderSource } from "./folder-source.ts";

let base: string;
let original: string;
let wanted: Map<string, StoreRow>;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-copy-collection-"));
  original = join(base, "original", ".winnow");
  await writeNumbered(original, DOCUMENTS);
  wanted = await rowsIn(await openFolderSource(original));
});
afterAll(() => rm(base, { recursive: true, force: true }));

describe("a collection", () => {
  const filled = async () => {
    const collections = new Map<string, MemoryCollection>();
    await copyTo(() => openFolderSource(original), chromaPlace(collections));
    return collections;
  };
  const openSource = (collections: Map<string, MemoryCollection>) =>
    openCollectionSource(memoryServer(collections), "notes");

  test("that others made is neither copied from nor to", async () => {
    const foreign = new MemoryCollection({ name: "notes", metadata: { "winnow:copy": "{}" } }, [{ id: "theirs" }]);
    const collections = new Map([["notes", foreign]]);
    await expect(openSource(collections)).rejects.toMatchObject({ code: "corpus_mismatch" });
    const place = chromaPlace(collections);
    await expect(copyTo(() => openFolderSource(original), place)).rejects.toMatchObject({ code: "invalid_argument" });
    expect([...collections.values()]).toEqual([foreign]);
    expect(await foreign.count()).toBe(1);
    await expect(openSource(new Map())).rejects.toMatchObject({ code: "corpus_not_found" });
  });

  test("with a copy of another state is left as it is", async () => {
    const collections = await filled();
    const other = join(base, "other", ".winnow");
    await writeNumbered(other, 2);
    const place = chromaPlace(collections);
    await expect(copyTo(() => openFolderSource(other), place)).rejects.toMatchObject({ code: "invalid_argument" });
    expect(await rowsIn(await openSource(collections))).toEqual(wanted);
  });

  test("that something was written to, or deleted from, while it was copied makes no whole copy", async () => {
    for (const change of ["put", "remove"] as const) {
      const collections = await filled();
      const [collection] = collections.values();
      const [some] = (await collection?.get({ include: ["documents", "metadatas", "embeddings"] })) ?? [];
      if (collection === undefined || some === undefined) throw new Error("There is a collection.");
      if (change === "put") collection.put([{ ...some, id: `x${some.id}` }]);
      else collection.remove(some.id);
      await expect(copyTo(() => openSource(collections), folderPlace(base, "sqlite"))).rejects.toMatchObject({
        code: "store_failed",
        message: expect.stringContaining(`instead of ${CHUNKS}`),
      });
    }
  });

  test("takes no index without vectors", async () => {
    const folder = join(base, "no-vectors", ".winnow");
    const writer = await openCorpusWriter(folder, { identity: { ...numberedIdentity, embedder: null } });
    writer.setItem({
      ...{ key: "x", source: "files", state: "skipped", bytes: 0, mtimeMs: 0, reason: "empty" },
      ...{ documents: 0, chunks: 0, tokens: 0, textBytes: 0 },
    });
    await writer.finish(0);
    await writer.close();
    await expect(copyTo(() => openFolderSource(folder), chromaPlace())).rejects.toMatchObject({
      code: "invalid_argument",
      hint: expect.stringContaining("winnow reembed"),
    });
    // An empty index without vectors is copied between folders all the same.
    expect(await copyTo(() => openFolderSource(folder), folderPlace(base, "sqlite"))).toBe(0);
  });
});
