import { z } from "zod/mini";
import { WinnowError } from "../../core/errors.ts";
import type { MetadataScalar } from "../chroma/answers.ts";
import type { ChromaCollection, CollectionInfo } from "../chroma/collection.ts";
import type { ChromaConnection } from "../chroma/connection.ts";
import { identitySchema, sourceSchema } from "../corpus/manifest-schemas.ts";
import { ANALYZER_NAME, analyzeText } from "../lexical/analyze.ts";
import { PAGE_RECORDS } from "../store/chroma/chroma-reader.ts";
import { SEARCH_WIDTH } from "../store/chroma/chroma-store.ts";
import { chunkIdOf, toRecord, toRow } from "../store/chroma/row-record.ts";
import type { StoreRow } from "../store/store.ts";
import type { CopiedCorpus, CopySource, CopyTarget } from "./copy-ends.ts";
import { checkCount } from "./copy-rows.ts";
import { markOf } from "./folder-source.ts";

/** Holds in a collection's own metadata, as JSON, what it is a copy of. */
const COPY_KEY = "winnow:copy";

const copySchema = z.object({
  schema: z.literal("copy/1"),
  mark: z.string(),
  isWhole: z.boolean(),
  identity: identitySchema,
  chunks: z.int(),
  metadataKeys: z.array(z.string()),
  base: z.string(),
  sources: z.array(sourceSchema),
});
type CollectionCopy = z.infer<typeof copySchema>;

/** Undefined for a collection that others made. */
function copyOf({ metadata }: CollectionInfo): CollectionCopy | undefined {
  const json = metadata[COPY_KEY];
  try {
    const parsed = copySchema.safeParse(typeof json === "string" ? JSON.parse(json) : undefined);
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function metadataOf(copy: CollectionCopy): Record<string, MetadataScalar> {
  return { [COPY_KEY]: JSON.stringify(copy) };
}

/**
 * A collection that a corpus was copied to. Rejects with `corpus_not_found` where there is none, and with
 * `corpus_mismatch` where others made it, where its copy is not whole, or where its words were analysed otherwise.
 */
export async function openCollectionSource(connection: ChromaConnection, name: string): Promise<CopySource> {
  const collection = await connection.collection(name);
  const copy = copyOf(collection.info);
  if (copy === undefined) throw foreign(name);
  if (!copy.isWhole) {
    throw new WinnowError("corpus_mismatch", `The copy in the collection ${name} is not whole.`, {
      hint: "End it first: run the `winnow copy` that began it once more.",
    });
  }
  const { identity, ...rest } = copy;
  if (identity.analyzer !== ANALYZER_NAME) {
    throw new WinnowError("corpus_mismatch", `The words of the copy are of the analyzer ${identity.analyzer}.`, {
      hint: "Copy the original again with this version of Winnow.",
    });
  }
  const mark = markOf([connection.address, collection.info.id, copy.mark]);
  return {
    corpus: { ...rest, mark, identity },
    rows: (signal) => rowsOf(collection, signal),
    close: async () => undefined,
  };
}

async function* rowsOf(collection: ChromaCollection, signal: AbortSignal): AsyncGenerator<readonly StoreRow[]> {
  for (let offset = 0; ; offset += PAGE_RECORDS) {
    const include = ["documents", "metadatas", "embeddings"] as const;
    const page = await collection.get({ include, limit: PAGE_RECORDS, offset, signal });
    yield page.map((record) => toRow(record, analyzeText));
    if (page.length < PAGE_RECORDS) return;
  }
}

/**
 * A collection that a corpus is copied to; made where it does not exist. Rejects with `invalid_argument` where the
 * corpus has no vectors, or where the collection is there already and is no copy of the same state.
 */
export async function openCollectionTarget(
  connection: ChromaConnection,
  name: string,
  corpus: CopiedCorpus,
): Promise<CopyTarget> {
  const { mark, identity, chunks, metadataKeys, base, sources } = corpus;
  if (identity.embedder === null) {
    throw new WinnowError("invalid_argument", "The index has no vectors, and a collection holds nothing without.", {
      hint: "Make them first with: winnow reembed",
    });
  }
  const wanted: CollectionCopy = {
    schema: "copy/1",
    ...{ mark, isWhole: false, chunks, metadataKeys: [...metadataKeys], base },
    sources: sources.map(({ type, roots, excluded }) => ({ type, roots: [...roots], excluded: [...excluded] })),
    identity: { ...identity, store: undefined },
  };
  const found = (await connection.collections()).find((one) => one.name === name);
  const before = found && copyOf(found);
  if (found !== undefined && (before === undefined || (before.isWhole && before.mark !== mark))) throw taken(name);
  const isSame = before?.mark === mark;
  if (found !== undefined && !isSame) await connection.deleteCollection(name);
  const collection = isSame
    ? await connection.collection(name)
    : await connection.createCollection({
        ...{ name, space: "l2", searchWidth: SEARCH_WIDTH },
        metadata: metadataOf(wanted),
      });
  const isWhole = isSame && before.isWhole;
  const held = isWhole ? new Set<string>() : await chunkIdsIn(collection);
  const { dimension } = identity.embedder;
  return {
    held,
    isWhole,
    append: (rows, signal) =>
      collection.upsert(
        rows.map((row) => toRecord(row, dimension)),
        signal,
      ),
    // The server has acknowledged what was appended.
    commit: async () => undefined,
    async finish(signal) {
      checkCount(await collection.count(signal), chunks);
      await collection.describe(metadataOf({ ...wanted, isWhole: true }), signal);
    },
    close: async () => undefined,
  };
}

async function chunkIdsIn(collection: ChromaCollection): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (let offset = 0; ; offset += PAGE_RECORDS) {
    const page = await collection.get({ include: [], limit: PAGE_RECORDS, offset });
    for (const { id } of page) ids.add(chunkIdOf(id) ?? "");
    if (page.length < PAGE_RECORDS) return ids;
  }
}

function foreign(name: string): WinnowError {
  return new WinnowError("corpus_mismatch", `The collection ${name} was not written by winnow copy.`, {
    hint: "Search it where it is: winnow attach URL COLLECTION",
  });
}

function taken(name: string): WinnowError {
  return new WinnowError("invalid_argument", `There is a collection ${name} already.`, {
    hint: "Give it another name.",
  });
}
