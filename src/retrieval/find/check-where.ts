import type { Filter } from "../../core/filter.ts";
import { checkFilterKeys } from "../../core/filter-parse.ts";
import { type CorpusReader, METADATA_KEYS_MAX } from "../corpus-reader.ts";

/**
 * Rejects with `invalid_filter` when a filter names a key that no document of these corpora carries, or orders dates by
 * what is none: such a filter would silently match nothing. A corpus with more keys than it lists may carry any.
 */
export async function checkWhere(corpora: readonly Pick<CorpusReader, "info">[], where: Filter): Promise<void> {
  if (where.length === 0) return;
  const lists = (await Promise.all(corpora.map((corpus) => corpus.info()))).map(({ metadataKeys }) => metadataKeys);
  const isWhole = lists.every((keys) => keys.length < METADATA_KEYS_MAX);
  checkFilterKeys(where, lists.flat(), isWhole);
}
