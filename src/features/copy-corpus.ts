import { isAddress } from "../core/address.ts";
import { toWinnowError, WinnowError } from "../core/errors.ts";
import { isObjectAddress } from "../core/object-address.ts";
import { serviceKey } from "../models/service-access.ts";
import { type ChromaConnection, connectChroma } from "../retrieval/chroma/connection.ts";
import { openCollectionSource, openCollectionTarget } from "../retrieval/copy/collection-ends.ts";
import type { CopySource, CopyTarget } from "../retrieval/copy/copy-ends.ts";
import { type CopyProgress, copyRows } from "../retrieval/copy/copy-rows.ts";
import { openFolderSource } from "../retrieval/copy/folder-source.ts";
import { openFolderTarget } from "../retrieval/copy/folder-target.ts";
import type { StoreKind } from "../retrieval/corpus/manifest.ts";
import { chooseStore } from "./indexing/choose-store.ts";
import { type CorpusScope, locateOwn, targetFolder } from "./open-corpora.ts";

export type { CopyProgress } from "../retrieval/copy/copy-rows.ts";

const CHROMA = "chroma:";

/** How a Chroma server is reached. */
export interface CopyAccess {
  readonly tenant?: string | undefined;
  readonly database?: string | undefined;
  /** Name of the environment variable with the key. */
  readonly apiKeyEnv?: string | undefined;
}

export interface CopyCorpusOptions {
  /** A corpus as `--corpus` names it, or `chroma:URL/COLLECTION`. */
  readonly from: string;
  /** A folder without an index, or `chroma:URL/COLLECTION`. */
  readonly to: string;
  readonly scope: Omit<CorpusScope, "named">;
  /** What keeps the chunks of a folder; default Lance, or SQLite where Lance does not run. */
  readonly store?: StoreKind;
  readonly access?: CopyAccess;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface CopySummary {
  readonly schema: "copy/1";
  readonly from: string;
  readonly to: string;
  /** Of the whole copy. */
  readonly chunks: number;
  /** Written by this call; the others were there from an interrupted one. */
  readonly copied: number;
  readonly seconds: number;
  readonly notices: readonly string[];
}

/**
 * Copies a corpus with its vectors into another store. A copy that was interrupted goes on where it stopped when the
 * same call is made again, unless the source has changed meanwhile: then it begins anew. Until it is whole nobody takes
 * the copy for a corpus. Rejects with `invalid_argument` where something is there already, `corpus_not_found`,
 * `corpus_mismatch`, `corpus_locked`, `store_failed` or `cancelled`.
 */
export async function copyCorpus(
  options: CopyCorpusOptions,
  onProgress?: (progress: CopyProgress) => void,
): Promise<CopySummary> {
  const start = performance.now();
  const { signal } = options;
  const { source, from } = await openSource(options);
  try {
    const { target, to, notices } = await openTarget(options, source);
    try {
      const copied = await copyRows(source, target, { signal, onProgress });
      const seconds = (performance.now() - start) / 1_000;
      return { schema: "copy/1", from, to, chunks: source.corpus.chunks, copied, seconds, notices };
    } finally {
      await target.close();
    }
  } catch (error) {
    throw toWinnowError(signal.aborted ? signal.reason : error, "store_failed");
  } finally {
    await source.close();
  }
}

async function openSource(options: CopyCorpusOptions): Promise<{ source: CopySource; from: string }> {
  const { from, scope } = options;
  const place = chromaPlace(from);
  if (place !== undefined) {
    const source = await openCollectionSource(await connect(place, options), place.collection);
    return { source, from };
  }
  if (isObjectAddress(from)) {
    throw new WinnowError("invalid_argument", "A published index is not copied from where it lies.", {
      hint: `Search it there with --corpus ${from}, or copy the index that it was made of.`,
    });
  }
  const [found] = await locateOwn({ ...scope, named: [from] });
  if (found === undefined) throw new WinnowError("corpus_not_found", `There is no index at ${from}.`);
  return { source: await openFolderSource(found.folder), from: found.folder };
}

async function openTarget(
  options: CopyCorpusOptions,
  { corpus }: CopySource,
): Promise<{ target: CopyTarget; to: string; notices: readonly string[] }> {
  const { to, scope } = options;
  const place = chromaPlace(to);
  if (place !== undefined) {
    const connection = await connect(place, options);
    const target = await openCollectionTarget(connection, place.collection, corpus);
    return { target, to, notices: connection.notices.map(({ message }) => message) };
  }
  const folder = await targetFolder({ ...scope, named: [to] });
  const { store = "lance", notice } = await chooseStore(folder, options.store);
  const target = await openFolderTarget(folder, corpus, store);
  return { target, to: folder, notices: notice === undefined ? [] : [notice] };
}

interface ChromaPlace {
  readonly address: string;
  readonly collection: string;
}

/** Undefined for anything but `chroma:URL/COLLECTION`; rejects with `invalid_argument` what only begins so. */
export function chromaPlace(named: string): ChromaPlace | undefined {
  if (!named.startsWith(CHROMA)) return undefined;
  const [, address = "", collection = ""] = /^chroma:(.*)\/([^/]*)$/.exec(named) ?? [];
  if (isAddress(address) && collection !== "" && !address.endsWith("/")) return { address, collection };
  throw new WinnowError("invalid_argument", `${named} does not name a collection on a Chroma server.`, {
    hint: "For example chroma:http://127.0.0.1:8000/notes",
  });
}

function connect(
  place: ChromaPlace,
  { access = {}, environment, signal }: CopyCorpusOptions,
): Promise<ChromaConnection> {
  const { tenant, database, apiKeyEnv } = access;
  const apiKey = serviceKey(apiKeyEnv, environment);
  return connectChroma({ address: place.address, tenant, database, apiKey, signal });
}
