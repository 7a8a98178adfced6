import { z } from "zod/mini";
import { STORE_KINDS } from "./store-kinds.ts";

const count = z.int().check(z.nonnegative());

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

/** Of `Manifest`. */
export const manifestSchema = z.object({
  generation: z.int().check(z.positive()),
  updatedAt: z.string(),
  identity: identitySchema,
  store: z.object({ table: z.string(), version: count }),
  documents: count,
  chunks: count,
  tokens: count,
  bytes: count,
  unindexed: count,
  metadataKeys: z.array(z.string()),
  grep: z.array(z.object({ segment: z.int().check(z.positive()), documents: count, bytes: count })),
  sources: z.array(sourceSchema),
  copiedFrom: z.optional(z.string()),
});
