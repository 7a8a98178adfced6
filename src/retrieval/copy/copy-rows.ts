import { WinnowError } from "../../core/errors.ts";
import type { StoreRow } from "../store/store.ts";
import type { CopySource, CopyTarget } from "./copy-ends.ts";

/** Rows that are written at once, and rows after which a kill loses nothing of what was written. */
const APPEND_ROWS_MAX = 500;
const COMMIT_ROWS_MAX = 2_000;

export interface CopyProgress {
  readonly phase: "copying" | "finishing";
  /** Chunks at the target, those of an interrupted copy included. */
  readonly chunks: number;
  readonly chunksTotal: number;
}

export interface CopyOptions {
  readonly signal: AbortSignal;
  readonly appendRowsMax?: number;
  readonly commitRowsMax?: number;
  /** Must not throw. */
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined;
}

/**
 * Copies every row that the target does not hold yet, and makes the copy whole. A kill or a failure at any moment costs
 * the rows since the last commit; the next call goes on behind it. Resolves with the number of rows copied by this call.
 */
export async function copyRows(source: CopySource, target: CopyTarget, options: CopyOptions): Promise<number> {
  if (target.isWhole) return 0;
  const { signal, onProgress, appendRowsMax = APPEND_ROWS_MAX, commitRowsMax = COMMIT_ROWS_MAX } = options;
  const chunksTotal = source.corpus.chunks;
  const report = (phase: CopyProgress["phase"]) =>
    onProgress?.({ phase, chunks: target.held.size + copied, chunksTotal });
  let [copied, uncommitted] = [0, 0];
  for await (const rows of readRows(source, signal)) {
    const fresh = rows.filter(({ chunk }) => !target.held.has(chunk.id));
    for (let i = 0; i < fresh.length; i += appendRowsMax) {
      signal.throwIfAborted();
      const part = fresh.slice(i, i + appendRowsMax);
      await target.append(part, signal);
      copied += part.length;
      uncommitted += part.length;
      if (uncommitted < commitRowsMax) continue;
      await target.commit();
      uncommitted = 0;
      report("copying");
    }
  }
  signal.throwIfAborted();
  report("finishing");
  await target.finish(signal);
  return copied;
}

async function* readRows(source: CopySource, signal: AbortSignal): AsyncIterable<readonly StoreRow[]> {
  try {
    yield* source.rows(signal);
  } catch (error) {
    if (signal.aborted || !(await source.isOutdated?.().catch(() => false))) throw error;
    throw new WinnowError("store_failed", "The index was changed while it was copied.", {
      hint: "Run the same command again: it copies what is there now.",
      retryable: true,
      cause: error,
    });
  }
}

/** Fails a copy that does not hold what its source holds. */
export function checkCount(found: number, expected: number): void {
  if (found === expected) return;
  throw new WinnowError("store_failed", `The copy holds ${found} chunks instead of ${expected}.`, {
    hint: "Was something else written to it, or to what was copied? Delete the copy and start again.",
  });
}
