import { describe, expect, test } from "vitest";
import { parseFilter } from "../../core/filter-parse.ts";
import type { Metadata } from "../../core/types.ts";
import { memoryCorpus } from "../../testing/memory-corpus.ts";
import { storeRow } from "../../testing/store-row.ts";
import { METADATA_KEYS_MAX } from "../corpus-reader.ts";
import { checkWhere } from "./check-where.ts";

const corpus = (metadata: Metadata) => memoryCorpus("c", [storeRow("a", "text", { metadata }).chunk]);
const check = (where: string, ...corpora: readonly Metadata[]) => checkWhere(corpora.map(corpus), parseFilter([where]));

describe("checkWhere", () => {
  test("a key that no corpus carries is refused with the one that was meant", async () => {
    await expect(check("dat=2026", { date: "2026", path: "x" }, { author: "me" })).rejects.toMatchObject({
      code: "invalid_filter",
      message: 'No document has the key "dat". Did you mean "date"?',
      hint: "Known keys: author, date, path.",
    });
  });

  test("a key of any of them is known, and dates are checked", async () => {
    await check("author=me AND date>=2026", { date: "2026" }, { author: "me" });
    await expect(check("date>=soon", { date: "2026" })).rejects.toMatchObject({ code: "invalid_filter" });
  });

  test("where a corpus may carry more keys than it lists, an unlisted one is allowed, a bad date is not", async () => {
    const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`key${i}`, "x"]));
    await expect(check("other=1", many(METADATA_KEYS_MAX - 1))).rejects.toMatchObject({ code: "invalid_filter" });
    await check("other=1", many(METADATA_KEYS_MAX));
    await expect(check("date>soon", many(METADATA_KEYS_MAX))).rejects.toMatchObject({ code: "invalid_filter" });
  });

  test("without a filter no corpus is asked", async () => {
    await checkWhere([{ info: () => Promise.reject(new Error("asked")) }], []);
  });
});
