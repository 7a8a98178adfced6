import { z } from "zod/mini";
import { WinnowError } from "../../core/errors.ts";

/** What a server answers, as far as we read it; everything else in an answer is left alone. */
const scalar = z.union([z.string(), z.number(), z.boolean()]);
const metadataSchema = z.record(z.string(), z.unknown());
const embeddingFunctionSchema = z.looseObject({ type: z.optional(z.string()), name: z.optional(z.string()) });

const collectionSchema = z.looseObject({
  id: z.string().check(z.regex(/^[0-9a-f-]{36}$/i)),
  name: z.string(),
  dimension: z.optional(z.nullable(z.int())),
  metadata: z.optional(z.nullable(metadataSchema)),
  /** Of its indexes; read where one of them is looked for. */
  schema: z.optional(z.unknown()),
  configuration_json: z.optional(
    z.nullable(
      z.looseObject({
        embedding_function: z.optional(z.nullable(embeddingFunctionSchema)),
        hnsw: z.optional(z.nullable(z.looseObject({ space: z.optional(z.nullable(z.string())) }))),
        spann: z.optional(z.nullable(z.looseObject({ space: z.optional(z.nullable(z.string())) }))),
      }),
    ),
  ),
});

const columns = <T extends z.ZodMiniType>(value: T) => z.optional(z.nullable(z.array(value)));
const documentSchema = z.nullable(z.string());
const recordMetadataSchema = z.nullable(metadataSchema);
const vectorSchema = z.nullable(z.array(z.number()));

const getSchema = z.looseObject({
  ids: z.array(z.string()),
  documents: columns(documentSchema),
  metadatas: columns(recordMetadataSchema),
  embeddings: columns(vectorSchema),
});

const querySchema = z.looseObject({
  ids: z.array(z.array(z.string())),
  distances: columns(z.nullable(z.array(z.nullable(z.number())))),
  documents: columns(z.nullable(z.array(documentSchema))),
  metadatas: columns(z.nullable(z.array(recordMetadataSchema))),
});

const searchSchema = z.looseObject({
  ids: z.array(z.array(z.string())),
  scores: columns(z.nullable(z.array(z.nullable(z.number())))),
});

export const ANSWERS = {
  version: z.string(),
  checks: z.looseObject({ max_batch_size: z.int().check(z.minimum(1)) }),
  identity: z.looseObject({ tenant: z.string(), databases: z.array(z.string()) }),
  collection: collectionSchema,
  collections: z.array(collectionSchema),
  count: z.int().check(z.minimum(0)),
  get: getSchema,
  query: querySchema,
  search: searchSchema,
  ignored: z.unknown(),
};

export type CollectionAnswer = z.infer<typeof collectionSchema>;
export type SearchAnswer = z.infer<typeof searchSchema>;
export type MetadataScalar = z.infer<typeof scalar>;

/** An answer in the shape that it has to have. Rejects with `store_failed`. */
export function readAnswer<T extends z.ZodMiniType>(schema: T, answer: unknown): z.output<T> {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join(".") ?? "";
  throw new WinnowError(
    "store_failed",
    `Chroma sent an answer that cannot be read${where === "" ? "" : ` (${where})`}.`,
    {
      hint: "Check that the address is that of a Chroma server of version 1.",
    },
  );
}

/**
 * Checks that an answer holds what it says: at most `limit` records, each once, and of every part that was asked for one
 * for each of them. Rejects with `store_failed`: which of the parts belong together cannot be known.
 */
export function checkRecords(
  ids: readonly string[],
  limit: number,
  parts: Readonly<Record<string, readonly unknown[] | null | undefined>>,
): void {
  if (ids.length > limit) throw inconsistent(`${ids.length} records where ${limit} were asked for`);
  if (new Set(ids).size < ids.length) throw inconsistent("the same record twice");
  for (const [name, part] of Object.entries(parts)) {
    const held = part?.length ?? 0;
    if (held !== ids.length) throw inconsistent(`${held} ${name} for ${ids.length} records`);
  }
}

/** Ids of the answer to the one question that was asked, none where there was nothing to find. */
export function onlyAnswer(ids: readonly (readonly string[])[]): readonly string[] {
  if (ids.length > 1) throw inconsistent(`${ids.length} answers to one question`);
  return ids[0] ?? [];
}

function inconsistent(what: string): WinnowError {
  return new WinnowError("store_failed", `The Chroma server's answer is inconsistent: ${what}.`, {
    hint: "Check the server and what stands in front of it; nothing was taken from this answer.",
  });
}
