import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WinnowError } from "../../core/errors.ts";
import {
  CHUNKS,
  chromaPlace,
  copyTo,
  DOCUMENTS,
  failingTarget,
  folderPlace,
  LINES,
  type Log,
  numberedIdentity,
  type Place,
  rowsIn,
  writeNumbered,
} from "../../testing/copy-fixture.ts";
import { openCorpusWriter } from "../corpus/corpus-writer.ts";
import { STORE_KINDS } from "../corpus/manifest.ts";
import { openCorpus } from "../corpus/open-corpus.ts";
import type { StoreRow } from "../store/store.ts";
import type { CopySource, CopyTarget } from "./copy-ends.ts";
import { openFolderSource } from "./folder-source.ts";
import { openFolderTarget } from "./folder-target.ts";

const { signal } = new AbortController();

/** So many that a copy has several appends and commits. */
const LIVE_DOCUMENTS = 750;
const LIVE_LIMITS = { appendRowsMax: 500, commitRowsMax: 1_000 };

let base: string;
let original: string;
let wanted: Map<string, StoreRow>;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-copy-folder-"));
  original = join(base, "original", ".winnow");
  await writeNumbered(original, DOCUMENTS);
  wanted = await rowsIn(await openFolderSource(original));
});
afterAll(() => rm(base, { recursive: true, force: true }));

/** Replaces every row but those of two documents, and frees what it can. */
async function change(folder: string): Promise<void> {
  const writer = await openCorpusWriter(folder, { identity: numberedIdentity });
  for (const key of [...writer.items.keys()].slice(2)) writer.removeItem(key);
  await writer.finish(0);
  await writer.close();
}

let count = 0;
describe("a copy to a folder", () => {
  test("is searched by words, vectors and patterns as the original is", async () => {
    for (const kind of ["lance", "sqlite"] as const) {
      const viaChroma = chromaPlace();
      const place = folderPlace(base, kind);
      await copyTo(() => openFolderSource(original), viaChroma);
      await copyTo(() => viaChroma.source(), place);
      const embedQuery = async () => Float32Array.of(0.2, 1, 0.1);
      const [one, other] = [await openCorpus(original, { embedQuery }), await openCorpus(place.folder, { embedQuery })];
      for (const mode of ["lexical", "dense", "hybrid"] as const) {
        const [a, b] = await Promise.all(
          [one, other].map((corpus) => corpus.find({ text: "line2 of number7", mode, chunksMax: 20 })),
        );
        expect(a?.hits.length, mode).toBeGreaterThan(3);
        expect(
          b?.hits.map(({ chunk }) => chunk),
          mode,
        ).toEqual(a?.hits.map(({ chunk }) => chunk));
      }
      const patterns = await Promise.all(
        [one, other].map((corpus) => corpus.grep({ pattern: "line3 of number[27]", chunksMax: 9 })),
      );
      expect(patterns[0]?.hits).toHaveLength(2);
      expect(patterns[1]?.hits.map(({ hit }) => hit.chunk)).toEqual(patterns[0]?.hits.map(({ hit }) => hit.chunk));
      expect((await other.info()).documents).toBe(DOCUMENTS);
      // The files are not there; of a copy that came from a server nobody knows what they were like.
      expect(await one.stale(["d00"])).toEqual([{ id: "d00", state: "gone" }]);
      expect(await other.stale(["d00"])).toEqual([]);
      await one.close();
      await other.close();
    }
  });

  test("in which another index was begun meanwhile is refused, and that index is left as it is", async () => {
    const place = folderPlace(base, "lance");
    const log: Log = { appended: [], safe: 0 };
    const spoil = failingTarget({ method: "append", nth: 4, late: true }, log);
    await expect(copyTo(() => openFolderSource(original), place, {}, spoil)).rejects.toThrow("gone");
    await writeNumbered(place.folder, 2);
    await expect(copyTo(() => openFolderSource(original), place)).rejects.toThrow("already");
    expect((await rowsIn(await place.source())).size).toBe(2 * LINES);
  });

  test("is refused while another process writes there, and while one copies into it", async () => {
    const place = folderPlace(base, "lance");
    const source = await openFolderSource(original);
    const target = await place.open(source.corpus);
    await expect(place.open(source.corpus)).rejects.toMatchObject({ code: "corpus_locked" });
    await target.close();
    await source.close();
    expect(await copyTo(() => openFolderSource(original), place)).toBe(CHUNKS);
  });

  test("goes into the other store when that is asked for the second time", async () => {
    const place = folderPlace(base, "lance");
    const log: Log = { appended: [], safe: 0 };
    const spoil = failingTarget({ method: "append", nth: 6, late: true }, log);
    await expect(copyTo(() => openFolderSource(original), place, {}, spoil)).rejects.toThrow("gone");
    const sqlite: Place = { ...place, open: (corpus) => openFolderTarget(place.folder, corpus, "sqlite") };
    expect(await copyTo(() => openFolderSource(original), sqlite)).toBe(CHUNKS);
    expect(await rowsIn(await place.source())).toEqual(wanted);
  });
});

describe("a source that is indexed again while it is copied", () => {
  test.each(STORE_KINDS)("is copied from %s as it was", async (kind) => {
    const folder = join(base, `live-${++count}`, ".winnow");
    await writeNumbered(folder, LIVE_DOCUMENTS);
    const live = folderPlace(base, kind);
    await copyTo(() => openFolderSource(folder), live, LIVE_LIMITS);
    const before = await rowsIn(await live.source());
    let appends = 0;
    const meddling = (target: CopyTarget): CopyTarget => ({
      ...failingTarget({ method: "none", nth: 0, late: false }, { appended: [], safe: 0 })(target),
      async append(rows) {
        await target.append(rows, signal);
        if (++appends === 2) await change(live.folder);
      },
    });
    const place = folderPlace(base, "sqlite");
    expect(await copyTo(() => live.source(), place, LIVE_LIMITS, meddling)).toBe(before.size);
    expect((await rowsIn(await live.source())).size).toBe(2 * LINES);
    expect(await rowsIn(await place.source())).toEqual(before);
  });

  test("and whose files are gone before they were read: says so, and the next copy begins anew", async () => {
    const folder = join(base, `live-${++count}`, ".winnow");
    await writeNumbered(folder, DOCUMENTS);
    const place = folderPlace(base, "sqlite");
    const damaged = new WinnowError("corpus_corrupt", "A file is missing.");
    const half = async (meddle: () => Promise<void>): Promise<CopySource> => {
      const source = await openFolderSource(folder);
      return {
        ...source,
        async *rows() {
          for await (const rows of source.rows(signal)) {
            yield rows.slice(0, CHUNKS / 2);
            await meddle();
            throw damaged;
          }
        },
      };
    };
    await expect(copyTo(() => half(async () => undefined), place)).rejects.toBe(damaged);
    await expect(copyTo(() => half(() => change(folder)), place)).rejects.toMatchObject({
      ...{ code: "store_failed", message: "The index was changed while it was copied.", retryable: true },
      cause: damaged,
    });
    expect(await copyTo(() => openFolderSource(folder), place)).toBe(2 * LINES);
    expect(await rowsIn(await place.source())).toEqual(await rowsIn(await openFolderSource(folder)));
  });
});
