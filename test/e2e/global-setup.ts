import type { TestProject } from "vitest/node";
import { type Packed, packAndUnpack } from "../support/packed.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The package as users get it; every e2e test runs this, never src/. */
    packed: Packed;
  }
}

/** Packs once for all e2e tests. */
export default function setup(project: TestProject): () => void {
  const { remove, ...packed } = packAndUnpack();
  project.provide("packed", packed);
  return remove;
}
