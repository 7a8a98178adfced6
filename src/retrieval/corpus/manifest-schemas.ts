import { z } from "zod/mini";
import { STORE_KINDS } from "./store-kinds.ts";

/** Of `CorpusIdentity`. Apart from it, so that declarations of the package name no validator. */
export const identitySchema = z.object({
  chunker: z.string(),
  tokenCounter: z.string(),
  analyzer: z.string(),
  embedder: z.nullable(z.object({ name: z.string(), dimension: z.int().check(z.positive()) })),
  store: z.optional(z.enum(STORE_KINDS)),
});

/** Of `KnownSource`. */
export const sourceSchema = z.object({ type: z.string(), roots: z.array(z.string()), excluded: z.array(z.string()) });
