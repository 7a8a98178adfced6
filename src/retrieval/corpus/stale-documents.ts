import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { StaleDocument } from "../corpus-reader.ts";
import { documentIdsOf, type ManifestItem } from "./manifest.ts";

/** Items looked at in one call; results are short lists. */
const ITEMS_MAX = 200;

/**
 * Which of these documents lie in files that have changed, or gone, since they were indexed: by size and time alone, as
 * a refresh decides what to read again. Documents of sources that are not files are never named.
 */
export async function staleDocuments(
  ids: readonly string[],
  items: readonly ManifestItem[],
  base: string,
): Promise<StaleDocument[]> {
  const wanted = new Set(ids);
  const found = items.flatMap((item) => {
    if (item.state !== "indexed" || item.source !== "files" || !isStamped(item)) return [];
    const held = documentIdsOf(item).filter((id) => wanted.has(id));
    return held.length === 0 ? [] : [{ item, held }];
  });
  const looked = found.slice(0, ITEMS_MAX).map(async ({ item, held }): Promise<StaleDocument[]> => {
    const now = await stat(resolve(base, item.key)).catch(() => undefined);
    if (now === undefined) return held.map((id) => ({ id, state: "gone" as const }));
    const same = now.size === item.bytes && now.mtimeMs === item.mtimeMs;
    return same ? [] : held.map((id) => ({ id, state: "changed" as const }));
  });
  return (await Promise.all(looked)).flat();
}

/** False where nothing is known but rows, as in a copy that came from a Chroma server. */
function isStamped({ hash, mtimeMs }: ManifestItem): boolean {
  return hash !== undefined || mtimeMs > 0;
}
