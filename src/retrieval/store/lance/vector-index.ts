import type { Table as LanceTable } from "@lancedb/lancedb";
import { VECTOR_COLUMN } from "./lance-rows.ts";
import { loadLance } from "./load-lance.ts";

/** Rows with a vector below which there is no index: reading the column itself takes some milliseconds then. */
export const VECTOR_INDEX_ROWS_MIN = 20_000;
/** Rows of one partition, about. Threads share a query by partition. */
const PARTITION_ROWS = 4_096;
/** The index is made anew where the number of partitions is off by more than this factor. */
const PARTITIONS_FACTOR_MAX = 4;
/** More than any index has: a query that asks for so many compares with every vector. */
export const EVERY_PARTITION = 1_000_000;

/** An index's name tells how many partitions it was made with; the library does not. */
const NAME = /^vector_ivf_flat_([0-9]{1,9})$/;

/**
 * Keeps the index of the vectors in step with the table, for the moment after its rows were merged: makes it, drops it,
 * or makes it anew when the table has outgrown it. It is a copy of the vectors in the order of partitions, which the
 * library holds in memory once it was read, unlike the column, which it reads for every query. Searched in all of its
 * partitions it is exact: what it saves is reading, not comparing.
 */
export async function keepVectorIndex(table: LanceTable, rowsMin: number): Promise<void> {
  const rows = await table.countRows(`${VECTOR_COLUMN} IS NOT NULL`);
  const wanted = rows < rowsMin || rows === 0 ? 0 : Math.ceil(rows / PARTITION_ROWS);
  const names = (await table.listIndices()).map(({ name }) => name).filter((name) => NAME.test(name));
  const [name] = names;
  const has = Number(NAME.exec(name ?? "")?.[1] ?? 0);
  if (wanted === has || (wanted > 0 && isNear(wanted, has))) return;
  for (const old of names) await table.dropIndex(old);
  if (wanted === 0) return;
  const { Index } = await loadLance();
  const config = Index.ivfFlat({ numPartitions: wanted, distanceType: "cosine" });
  await table.createIndex(VECTOR_COLUMN, { config, name: `vector_ivf_flat_${wanted}` });
}

function isNear(wanted: number, has: number): boolean {
  return has > 0 && wanted <= has * PARTITIONS_FACTOR_MAX && has <= wanted * PARTITIONS_FACTOR_MAX;
}
