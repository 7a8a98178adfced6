import { WinnowError } from "../../core/errors.ts";
import { checkStoreSizes } from "./checksums.ts";
import type { CorpusLayout } from "./layout.ts";
import {
  type CorpusIdentity,
  type KnownSource,
  type Manifest,
  type ManifestItem,
  readCorpusFile,
  readItems,
  readManifest,
} from "./manifest.ts";
import { findDamagedSegments, nextFreeGeneration, removeOrphans } from "./recover.ts";
import { storeKindOf } from "./store-of.ts";

export interface WriterStateOptions {
  /**
   * How the corpus is built. One that exists must have been built alike, else `corpus_mismatch`; it keeps its own store
   * where the identity names none.
   */
  readonly identity: CorpusIdentity;
  /** A corpus that exists keeps its own embedder, whatever the identity says; also one that is built anew. */
  readonly keepEmbedder?: boolean;
  /** Drops all that is indexed and starts anew, whatever state the index is in. Known sources are kept if readable. */
  readonly rebuild?: boolean;
}

/** What a writer starts from. `manifest` is undefined for a corpus that is new or built anew. */
export interface WriterState {
  readonly manifest: Manifest | undefined;
  readonly identity: CorpusIdentity;
  readonly items: readonly ManifestItem[];
  readonly sources: readonly KnownSource[];
  readonly firstGeneration: number;
  readonly damagedSegments: ReadonlySet<number>;
}

/**
 * Reads what is committed and drops what a killed writer left beside it. Rejects with `corpus_format`, `corpus_corrupt`
 * or `corpus_mismatch`.
 */
export async function loadWriterState(
  layout: CorpusLayout,
  options: WriterStateOptions,
  nowMs: number,
): Promise<WriterState> {
  const fresh = { manifest: undefined, identity: options.identity, items: [], damagedSegments: new Set<number>() };
  const identityAfter = (found: CorpusIdentity | undefined): CorpusIdentity =>
    found === undefined
      ? options.identity
      : {
          ...options.identity,
          ...(options.keepEmbedder === true && { embedder: found.embedder }),
          ...(options.identity.store === undefined && found.store !== undefined && { store: found.store }),
        };
  if (options.rebuild === true) {
    const before = await readManifest(layout).catch(() => undefined);
    const firstGeneration = Math.max((before?.manifest.generation ?? 0) + 1, await nextFreeGeneration(layout));
    const identity = identityAfter(before?.manifest.identity);
    // The roots of a copy are those of another folder.
    const sources = before?.manifest.copiedFrom === undefined ? (before?.manifest.sources ?? []) : [];
    return { ...fresh, identity, sources, firstGeneration };
  }
  await readCorpusFile(layout);
  const manifest = (await readManifest(layout))?.manifest;
  if (manifest === undefined) {
    await removeOrphans(layout, undefined, nowMs);
    return { ...fresh, sources: [], firstGeneration: 1 };
  }
  const identity = identityAfter(manifest.identity);
  checkIdentity(manifest.identity, identity);
  const items = await readItems(layout, manifest);
  await checkStoreSizes(layout, manifest);
  await removeOrphans(layout, manifest, nowMs);
  const damagedSegments = await findDamagedSegments(layout, manifest);
  const firstGeneration = manifest.generation + 1;
  return { manifest, identity, items, sources: manifest.sources, firstGeneration, damagedSegments };
}

function checkIdentity(found: CorpusIdentity, wanted: CorpusIdentity): void {
  const differences = (["chunker", "tokenCounter", "analyzer"] as const)
    .filter((part) => found[part] !== wanted[part])
    .map((part) => `${part} ${found[part]}, now ${wanted[part]}`);
  if (storeKindOf(found) !== storeKindOf(wanted)) {
    throw new WinnowError("corpus_mismatch", `The index is kept in ${storeKindOf(found)}, not ${wanted.store}.`, {
      hint: "Copy it to a new place with `winnow copy`, or build it anew with --rebuild.",
    });
  }
  const { embedder: had } = found;
  const { embedder: asked } = wanted;
  if (differences.length === 0 && (had?.name !== asked?.name || had?.dimension !== asked?.dimension)) {
    throw new WinnowError(
      "corpus_mismatch",
      `The vectors of the index are of the embedder ${had?.name ?? "none"}, not ${asked?.name ?? "none"}.`,
      { hint: "Make them anew with: winnow reembed --embedder EMBEDDER" },
    );
  }
  if (differences.length === 0) return;
  throw new WinnowError("corpus_mismatch", `The index was built differently: ${differences.join("; ")}.`, {
    hint: "Run `winnow index --rebuild` to build it anew.",
  });
}
