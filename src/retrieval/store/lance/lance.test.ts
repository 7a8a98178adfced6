import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore } from "../../../testing/memory-store.ts";
import { CONTRACT_VECTOR_DIMENSION, storeContract } from "../../../testing/store-contract.ts";
import { lanceStore } from "./lance-store.ts";

storeContract("lance", async () => {
  const folder = await mkdtemp(join(tmpdir(), "winnow-lance-"));
  const store = lanceStore({ folder, vectorDimension: CONTRACT_VECTOR_DIMENSION });
  return {
    store,
    remove: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

storeContract("memory", async () => ({
  store: memoryStore({ vectorDimension: CONTRACT_VECTOR_DIMENSION }),
  remove: async () => undefined,
}));
