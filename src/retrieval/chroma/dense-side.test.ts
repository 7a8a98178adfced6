import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { WinnowError } from "../../core/errors.ts";
import { MemoryCollection } from "../../testing/memory-chroma.ts";
import type { ChromaHit, ChromaSearch } from "./cloud-search.ts";
import { DenseSide } from "./dense-side.ts";

/** A server that answers every request, slowly, and never with a record that the words know. */
class SlowCollection extends MemoryCollection {
  override async search(search: ChromaSearch): Promise<readonly ChromaHit[]> {
    await delay(150);
    return Array.from({ length: search.limit }, (_, at) => ({ id: `new${at}`, score: -at }));
  }
}

/** Words that know no record. */
const words = {
  chunks: async () => [],
  spansOf: async () => [],
  documentsWhere: async () => new Set<string>(),
};
const query = { vector: Float32Array.of(1, 0), limit: 5 };

test("a query that needs request after request is given up as a whole, and its server has failed", async () => {
  const collection = new SlowCollection({ name: "docs", dimension: 2 });
  const failures: WinnowError[] = [];
  const open = async () => ({
    collection,
    cloud: false,
    onFailure: async (error: WinnowError) => void failures.push(error),
  });
  const side = new DenseSide(open, 1, 400);
  const startMs = performance.now();
  await expect(side.candidates(words, query)).rejects.toMatchObject({
    code: "timeout",
    retryable: true,
    message: expect.stringMatching(/did not answer the query in full within 400 ms/),
  });
  expect(performance.now() - startMs).toBeLessThan(2_000);
  expect(failures).toHaveLength(1);
});

test("one that is cancelled ends at once, and nobody has failed for good", async () => {
  const collection = new SlowCollection({ name: "docs", dimension: 2 });
  const abort = new AbortController();
  const side = new DenseSide(async () => ({ collection, cloud: false }));
  const asked = side.candidates(words, { ...query, signal: abort.signal });
  setTimeout(() => abort.abort(new WinnowError("cancelled", "Cancelled.")), 50);
  await expect(asked).rejects.toMatchObject({ code: "cancelled" });
});
