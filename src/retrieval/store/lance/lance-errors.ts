import { toWinnowError, WinnowError } from "../../../core/errors.ts";
import { oneLine } from "../../../core/text.ts";

/** What Lance says when a file of its is missing, cut off or overwritten. */
const DAMAGE =
  /not found|LanceError\(IO\)|corrupt|invalid|unexpected end|out of bounds|out of range|magic|checksum|decode|parse|panick|overflow|Arrow error|index out|at line \d+ column|ParquetError|protobuf|utf-?8/i;
const NATIVE_MISSING = /Cannot find module '@lancedb|Failed to load native binding|ERR_DLOPEN_FAILED|GLIBC/i;
const MESSAGE_UNITS_MAX = 200;

/**
 * Turns a failure of the native library into an error that a person can act on. Its messages carry paths of the
 * machine that compiled it and stack traces; only the first words are kept, all of it stays in `cause`.
 */
export function lanceError(error: unknown, doing: string): WinnowError {
  const known = toWinnowError(error, "store_failed");
  if (known.code !== "store_failed" || WinnowError.isInstance(error)) return known;
  const message = error instanceof Error ? error.message : String(error);
  if (NATIVE_MISSING.test(message)) {
    return new WinnowError("dependency_missing", "The store's native library does not load on this platform.", {
      hint: "Install again with optional dependencies enabled, or build the index anew without it: winnow index --rebuild --store sqlite",
      cause: error,
    });
  }
  const short = oneLine(message.split(/, \/|\s+Caused by/)[0] ?? message, MESSAGE_UNITS_MAX);
  if (DAMAGE.test(message)) {
    return new WinnowError("corpus_corrupt", `The index data in lance/ is damaged or incomplete (${doing}): ${short}`, {
      hint: "Run `winnow index --rebuild` to build the index anew from its sources.",
      cause: error,
    });
  }
  return new WinnowError("store_failed", `The store failed (${doing}): ${short}`, {
    hint: known.hint ?? "Run the same command again; if it fails again, look at the index with: winnow doctor --verify",
    cause: error,
  });
}

/** Runs native work and translates what it throws. */
export async function guarded<T>(doing: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw lanceError(error, doing);
  }
}
