import { isObjectAddress, parseObjectAddress } from "../core/object-address.ts";
import type { PublishProgress } from "../retrieval/published/publish.ts";
import { type CorpusScope, locateOwn } from "./open-corpora.ts";
import { openObjectStore } from "./publishing/published-place.ts";

export type { PublishProgress } from "../retrieval/published/publish.ts";
export { isObjectAddress };

export interface PublishCorpusOptions {
  /** A corpus as `--corpus` names it. */
  readonly from: string;
  /** `s3://BUCKET/PREFIX`. */
  readonly to: string;
  readonly scope: Omit<CorpusScope, "named">;
  /** Publishes also over what is not this index's own. */
  readonly replace?: boolean;
  /** Says where the object store is, and holds its keys. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface PublishSummary {
  readonly schema: "publish/1";
  readonly from: string;
  readonly to: string;
  readonly generation: number;
  readonly documents: number;
  readonly chunks: number;
  /** Of the index. */
  readonly files: number;
  readonly bytes: number;
  /** Files that were not there yet. */
  readonly uploaded: number;
  readonly uploadedBytes: number;
  /** Objects of earlier states that were deleted. */
  readonly removed: number;
  readonly seconds: number;
}

/**
 * Publishes an index on an object store, from where others read it. Rejects as `publishIndex` does, and with
 * `invalid_argument` where the address or the environment cannot be used.
 */
export async function publishCorpus(
  options: PublishCorpusOptions,
  onProgress?: (progress: PublishProgress) => void,
): Promise<PublishSummary> {
  const start = performance.now();
  const { from, scope, environment, replace = false, signal } = options;
  const to = parseObjectAddress(options.to).text;
  const places = await locateOwn({ ...scope, named: [from] });
  const store = await openObjectStore(to, environment);
  const { publishIndex } = await import("../retrieval/published/publish.ts");
  // One name is one place.
  const [{ folder }] = places as [(typeof places)[number]];
  const { manifest, ...counts } = await publishIndex({ folder, store, replace, signal, onProgress });
  const { generation, documents, chunks } = manifest;
  const seconds = (performance.now() - start) / 1_000;
  return { schema: "publish/1", from: folder, to, generation, documents, chunks, ...counts, seconds };
}
