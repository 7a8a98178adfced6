import { expect, test } from "vitest";
import { WinnowError } from "../../core/errors.ts";
import { MemoryCollection, memoryChroma } from "../../testing/memory-chroma.ts";
import { namedAfter, toldOf } from "./named-place.ts";

const ADDRESS = "http://127.0.0.1:45281";
const PLACE = "/home/u/data";

test("what fails names the directory, and not the server that was started on it", async () => {
  const collection = new MemoryCollection({ name: "docs" }, [{ id: "a", document: "x" }]);
  const { connection } = memoryChroma([collection]);
  const failing = {
    ...connection,
    collection: async (name: string) => {
      if (name === "docs") return collection;
      throw new WinnowError("corpus_not_found", `There is no collection ${name} at ${ADDRESS}.`, {
        hint: "It holds: docs.",
      });
    },
  };
  const named = namedAfter(failing, ADDRESS, PLACE);
  await expect(named.collection("nosuch")).rejects.toMatchObject({
    code: "corpus_not_found",
    message: `There is no collection nosuch at ${PLACE}.`,
    hint: "It holds: docs.",
  });
  const docs = await named.collection("docs");
  expect(await docs.count()).toBe(1);
  expect((await docs.get({ include: ["documents"] })).map(({ id }) => id)).toEqual(["a"]);
  collection.before = () => {
    throw new WinnowError("store_failed", `The Chroma server at ${ADDRESS} cannot be reached.`, { retryable: true });
  };
  await expect(docs.count()).rejects.toMatchObject({
    code: "store_failed",
    message: `The Chroma server at ${PLACE} cannot be reached.`,
    retryable: true,
  });
  const other = new Error(`${ADDRESS} as it is`);
  await expect(toldOf(Promise.reject(other), ADDRESS, PLACE)).rejects.toBe(other);
});
