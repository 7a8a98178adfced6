import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  CHUNKS,
  chromaPlace,
  copyTo,
  DOCUMENTS,
  failingTarget,
  folderPlace,
  type Log,
  numberedIdentity,
  type Place,
  rowsIn,
  writeNumbered,
} from "../../testing/copy-fixture.ts";
import { openCorpusWriter } from "../corpus/corpus-writer.ts";
import type { StoreRow } from "../store/store.ts";
import type { CopySource } from "./copy-ends.ts";
import type { CopyProgress } from "./copy-rows.ts";
import { openFolderSource } from "./folder-source.ts";

let count = 0;
let base: string;
let original: string;
let wanted: Map<string, StoreRow>;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-copy-rows-"));
  original = join(base, "original", ".winnow");
  await writeNumbered(original, DOCUMENTS);
  wanted = await rowsIn(await openFolderSource(original));
});
afterAll(() => rm(base, { recursive: true, force: true }));

const PLACES: Readonly<Record<string, () => Place>> = {
  lance: () => folderPlace(base, "lance"),
  sqlite: () => folderPlace(base, "sqlite"),
  "chroma in memory": () => chromaPlace(),
};

describe.each(Object.entries(PLACES))("a copy to %s", (name, makePlace) => {
  let place: Place;
  beforeEach(() => {
    place = makePlace();
  });
  const fromOriginal = () => openFolderSource(original);

  test("holds the same rows, and so does a copy of the copy in each kind of place", async () => {
    const told: CopyProgress[] = [];
    expect(await copyTo(fromOriginal, place, { onProgress: (progress) => told.push(progress) })).toBe(CHUNKS);
    expect(told.map(({ phase, chunks }) => `${phase} ${chunks}`)).toEqual([
      ...[10, 20, 30, 40].map((chunks) => `copying ${chunks}`),
      `finishing ${CHUNKS}`,
    ]);
    expect(await rowsIn(await place.source())).toEqual(wanted);
    for (const next of Object.values(PLACES).map((make) => make())) {
      expect(await copyTo(() => place.source(), next)).toBe(CHUNKS);
      expect(await rowsIn(await next.source())).toEqual(wanted);
    }
  });

  test("made a second time is found whole", async () => {
    await copyTo(fromOriginal, place);
    if (name.startsWith("chroma")) expect(await copyTo(fromOriginal, place)).toBe(0);
    else await expect(copyTo(fromOriginal, place)).rejects.toMatchObject({ code: "invalid_argument" });
    expect(await rowsIn(await place.source())).toEqual(wanted);
  });

  const POINTS = [
    ...[1, 2, 3, 6, 9].map((nth) => ({ method: "append", nth })),
    ...[1, 2, 4].map((nth) => ({ method: "commit", nth })),
    { method: "finish", nth: 1 },
  ].flatMap((point) => [false, true].map((late) => ({ ...point, late })));

  test.each(POINTS)(
    "interrupted at $method $nth (late: $late) loses nothing that is safe and repeats none of it",
    async (at) => {
      const log: Log = { appended: [], safe: 0 };
      await expect(copyTo(fromOriginal, place, {}, failingTarget(at, log))).rejects.toThrow("gone");
      const isWhole = at.method === "finish" && at.late;
      if (!isWhole) await expect(place.source()).rejects.toMatchObject({ code: /corpus_(not_found|mismatch)/ });
      const safe = log.appended.slice(0, log.safe);
      const again: Log = { appended: [], safe: 0 };
      const next = failingTarget({ method: "none", nth: 0, late: false }, again);
      const resumed = copyTo(fromOriginal, place, {}, next);
      if (isWhole && !name.startsWith("chroma")) await expect(resumed).rejects.toThrow("already");
      else await resumed;
      expect(again.appended.filter((id) => safe.includes(id))).toEqual([]);
      expect(new Set([...log.appended, ...again.appended]).size).toBe(CHUNKS);
      expect(await rowsIn(await place.source())).toEqual(wanted);
    },
  );

  test("of a source that has changed in between begins anew", async () => {
    const folder = join(base, `changing-${++count}`, ".winnow");
    await writeNumbered(folder, DOCUMENTS);
    const log: Log = { appended: [], safe: 0 };
    const spoil = failingTarget({ method: "append", nth: 7, late: false }, log);
    await expect(copyTo(() => openFolderSource(folder), place, {}, spoil)).rejects.toThrow("gone");
    const writer = await openCorpusWriter(folder, { identity: numberedIdentity });
    writer.removeItem("d00");
    await writer.finish(0);
    await writer.close();
    await writeNumbered(folder, DOCUMENTS + 1, DOCUMENTS);
    expect(log.safe).toBe(30);
    expect(await copyTo(() => openFolderSource(folder), place)).toBe(CHUNKS);
    const rows = await rowsIn(await place.source());
    expect(rows).toEqual(await rowsIn(await openFolderSource(folder)));
    expect(rows.has("d00:0")).toBe(false);
  });

  test("cancelled half-way stops at once, and goes on later", async () => {
    const stop = new AbortController();
    const onProgress = ({ chunks }: CopyProgress) => chunks === 20 && stop.abort(new Error("enough"));
    await expect(copyTo(fromOriginal, place, { signal: stop.signal, onProgress })).rejects.toThrow("enough");
    expect(await copyTo(fromOriginal, place)).toBe(CHUNKS - 20);
    expect(await rowsIn(await place.source())).toEqual(wanted);
  });

  test("that does not hold as many chunks as its source is not taken for whole", async () => {
    const short = async (): Promise<CopySource> => {
      const source = await fromOriginal();
      return { ...source, corpus: { ...source.corpus, chunks: CHUNKS + 1 } };
    };
    await expect(copyTo(short, place)).rejects.toMatchObject({
      code: "store_failed",
      message: `The copy holds ${CHUNKS} chunks instead of ${CHUNKS + 1}.`,
    });
    await expect(place.source()).rejects.toMatchObject({ code: /corpus_(not_found|mismatch)/ });
  });
});
