import { basename, dirname, join } from "node:path";
import { CORPUS_FOLDER_NAME, corpusBase } from "../retrieval/corpus/layout.ts";
import { type IndexOptions, lookAtCorpus } from "./index-corpus.ts";
import type { WatchEvent } from "./watching/watch-event.ts";
import { type WatchSettings, watchTarget } from "./watching/watch-target.ts";

export type {
  RefreshCause,
  RefreshedEvent,
  WatchEvent,
  WatchFailedEvent,
  WatchNoticeEvent,
} from "./watching/watch-event.ts";

export interface WatchOptions extends IndexOptions {
  /** What events name the corpus; default the folder that it lies in. */
  readonly name?: string;
  /** How often everything is looked at, whatever the system tells, in milliseconds; default 60,000. */
  readonly lookIntervalMs?: number;
}

/**
 * Brings a corpus up to date as `indexCorpus` does, and keeps it so: files that are added, changed, moved or removed are
 * found by searches some hundred milliseconds later, in processes that have the corpus open as well. Ends when the signal
 * aborts, or when the consumer stops; what was committed by then is kept.
 *
 * What the system tells is a hint only: each refresh lists what it is about, and everything is looked at from time to
 * time. A root that is not there, or that lies on another disk than before, keeps its documents. Rejects with
 * `corpus_locked` where the corpus is watched already, and with what `indexCorpus` rejects with when the watch begins;
 * later failures are told and tried again, as is an index that somebody else is writing.
 */
export function watchCorpus(options: WatchOptions): AsyncIterable<WatchEvent> {
  return watchFiles(options, {
    signal: options.signal ?? new AbortController().signal,
    ...(options.now && { now: options.now }),
    ...(options.lookIntervalMs !== undefined && { lookIntervalMs: options.lookIntervalMs }),
  });
}

/** As `watchCorpus`, with settings of the watch itself. */
export function watchFiles(options: WatchOptions, settings: WatchSettings): AsyncGenerator<WatchEvent> {
  const { folder, name, ...rest } = options;
  let first: Pick<IndexOptions, "paths" | "only" | "rebuild"> | undefined = options;
  const isFiles = options.source === undefined || options.source === "files";
  return watchTarget(
    {
      name: name ?? nameOf(folder),
      folder,
      base: corpusBase(folder),
      named: options.paths,
      narrows: isFiles,
      alsoWatched: isFiles ? () => [] : (root) => [join(root, ".git")],
      async refresh(look, signal) {
        const { paths = [], only = false, rebuild = false } = first ?? {};
        const summary = await lookAtCorpus({ ...rest, folder, paths, only, rebuild, signal }, {}, look);
        first = undefined;
        return summary;
      },
    },
    settings,
  );
}

function nameOf(folder: string): string {
  return basename(folder) === CORPUS_FOLDER_NAME ? basename(dirname(folder)) || "corpus" : basename(folder);
}
