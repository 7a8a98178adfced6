import { systemClock } from "../../core/clock.ts";
import { toWinnowError } from "../../core/errors.ts";
import type { CorpusReader } from "../../retrieval/corpus-reader.ts";
import { leftOut } from "../attaching/left-out.ts";

/** What could not be opened is not tried again for so long: a run asks many times in a second. */
const RETRY_MS = 15_000;

export interface StandInOptions {
  readonly name: string;
  /** Stands for it where it is left out. */
  readonly folder: string;
  readonly open: () => Promise<CorpusReader>;
  readonly now?: () => number;
}

/**
 * A corpus, or what stands for it while it cannot be opened: empty, saying why in every answer. A call that comes some
 * time after the last failure tries again. Never rejects.
 */
export async function openOrStandIn({
  name,
  folder,
  open,
  now = systemClock.now,
}: StandInOptions): Promise<CorpusReader> {
  let failedMs: number | undefined;
  let opening: Promise<CorpusReader> | undefined;
  const tryOpen = (): Promise<CorpusReader> =>
    open().catch((error: unknown) => {
      failedMs = now();
      opening = undefined;
      return leftOut(name, folder, toWinnowError(error, "store_failed"));
    });
  let standing = await tryOpen();
  if (failedMs === undefined) return standing;
  const current = async (): Promise<CorpusReader> => {
    if (failedMs !== undefined && now() - failedMs >= RETRY_MS) {
      failedMs = undefined;
      opening = tryOpen();
    }
    if (opening !== undefined) standing = await opening;
    return standing;
  };
  return {
    name,
    info: async () => (await current()).info(),
    documentsOf: async (key) => (await (await current()).documentsOf?.(key)) ?? [],
    find: async (query) => (await current()).find(query),
    grep: async (query) => (await current()).grep(query),
    read: async (query) => (await current()).read(query),
    documents: async (query) => (await current()).documents(query),
    close: async () => (await (opening ?? standing)).close(),
  };
}
