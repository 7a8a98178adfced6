import type { CorpusWriter } from "../../retrieval/corpus/corpus-writer.ts";
import type { KnownSource, ManifestItem } from "../../retrieval/corpus/manifest.ts";
import type { KeyScope } from "../../sources/files/paths.ts";
import type { Skipped, Source, SourceItem } from "../../sources/source.ts";
import type { IndexTally } from "./progress.ts";
import { coveredBy } from "./roots.ts";

export interface ListOptions {
  readonly source: Source;
  readonly known: KnownSource;
  /** Keys of the roots that the source lists. */
  readonly roots: readonly string[];
  /** All that the source was asked for, where that is not everything: nothing else is taken for gone. */
  readonly within?: KeyScope;
  /** Key of the corpus folder itself, which is nobody's document. */
  readonly ownKey: string;
  readonly writer: CorpusWriter;
  readonly tally: IndexTally;
  readonly signal: AbortSignal;
  readonly report: () => void;
}

/** Tried again at every refresh, because they may go away without a trace in size and time. */
const TRANSIENT_REASONS: ReadonlySet<string> = new Set(["unreadable", "vanished"]);

/**
 * Lists the source, stages the removal of items that are gone and the state of those that the listing itself skips, and
 * returns the items that have to be looked at: new ones, changed ones, and those that failed before.
 */
export async function listItems(options: ListOptions): Promise<readonly SourceItem[]> {
  const { source, known, within, writer, tally, signal, report } = options;
  const excluded = [...known.excluded, options.ownKey];
  const seen = new Set<string>();
  const unreadable: string[] = [];
  const pending: SourceItem[] = [];
  for await (const listed of source.list(signal)) {
    const key = "item" in listed ? listed.item.key : listed.skipped.key;
    if (seen.has(key) || coveredBy(excluded, key)) continue;
    seen.add(key);
    tally.itemsTotal++;
    if ("skipped" in listed) {
      tally.itemsDone++;
      if (TRANSIENT_REASONS.has(listed.skipped.reason)) unreadable.push(folderKey(key));
      stageSkipped(listed.skipped, source, writer, tally);
    } else if (isUnchanged(listed.item, writer.items.get(key))) {
      tally.itemsDone++;
      countUnchanged(writer.items.get(key), tally);
    } else {
      pending.push(listed.item);
    }
    report();
  }
  for (const item of [...writer.items.values()]) {
    if (item.source !== source.type || seen.has(item.key)) continue;
    if (within?.holds(item.key) === false) continue;
    const kept = !coveredBy(excluded, item.key);
    if (kept && (!coveredBy(options.roots, item.key) || coveredBy(unreadable, item.key))) continue;
    if (item.state === "indexed") tally.removedHashes.push(item.hash);
    writer.removeItem(item.key);
  }
  return pending;
}

function isUnchanged(item: SourceItem, known: ManifestItem | undefined): boolean {
  return (
    known !== undefined &&
    known.state !== "failed" &&
    known.racy !== true &&
    known.bytes === item.bytes &&
    known.mtimeMs === item.mtimeMs &&
    // A time that was set back to what it was; indexes of before know no second one.
    (known.ctimeMs === undefined || known.ctimeMs === item.ctimeMs) &&
    !TRANSIENT_REASONS.has(known.reason ?? "")
  );
}

function countUnchanged(known: ManifestItem | undefined, tally: IndexTally): void {
  if (known?.state === "skipped") tally.skip(known.reason ?? "unreadable");
  else tally.unchanged++;
}

function stageSkipped({ key, reason, detail }: Skipped, source: Source, writer: CorpusWriter, tally: IndexTally): void {
  tally.skip(reason);
  const known = writer.items.get(key);
  // What cannot be read just now is still what was indexed, as far as anyone knows.
  if (known?.state === "indexed" && TRANSIENT_REASONS.has(reason)) return;
  if (known?.state === "skipped" && known.reason === reason && known.detail === detail) return;
  if (known?.state === "indexed") tally.removedHashes.push(known.hash);
  writer.setItem({ ...nothing, key, source: source.type, state: "skipped", bytes: 0, mtimeMs: 0, reason, detail });
}

/** The counts of an item that holds no document. */
export const nothing = { documents: 0, chunks: 0, tokens: 0, textBytes: 0 } as const;

/** A folder's key ends in a slash, the base's own is `./`. */
function folderKey(key: string): string {
  return key === "./" || key === "." ? "" : key.replace(/\/$/, "");
}
