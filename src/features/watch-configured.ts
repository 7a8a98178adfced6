import { join } from "node:path";
import type { BuiltEntry, ChromaEntry } from "../config/corpora.ts";
import { isAddress } from "../core/address.ts";
import { WinnowError } from "../core/errors.ts";
import { refuseForeign } from "../retrieval/corpus/find-corpus-folder.ts";
import { corpusBase } from "../retrieval/corpus/layout.ts";
import type { MayRead } from "./indexing/leave.ts";
import type { CorpusScope } from "./open-corpora.ts";
import { refreshConfigured } from "./refresh-configured.ts";
import type { WatchEvent } from "./watching/watch-event.ts";
import { type WatchSettings, type WatchTarget, watchTarget } from "./watching/watch-target.ts";

/** An attached server is asked this often: its scan reads ids and metadata of every record. */
export const SERVER_POLL_MS = 60_000;
/** The files of an attached data directory are looked at this often; only when they changed it is opened. */
export const DIRECTORY_POLL_MS = 5_000;

export interface WatchConfiguredOptions extends WatchSettings {
  readonly scope: CorpusScope;
  /** A corpus of the configuration that is built or attached. */
  readonly name: string;
  readonly mayRead: MayRead;
  /** Default the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** How often an attached collection is looked at, in milliseconds; default `SERVER_POLL_MS` or `DIRECTORY_POLL_MS`. */
  readonly pollMs?: number;
}

/**
 * Keeps a corpus of the configuration up to date, as `watchCorpus` does: what it is built of is watched, attached
 * collections are looked at from time to time. Rejects as `watchCorpus` does, and with `invalid_config` for want of the
 * user's leave.
 */
export async function* watchConfigured(options: WatchConfiguredOptions): AsyncGenerator<WatchEvent> {
  const { scope, name } = options;
  const entry = scope.known[name];
  if (entry === undefined || entry.kind === "folder" || entry.kind === "published") {
    throw new WinnowError("invalid_argument", `${name} is not built or attached by the configuration.`);
  }
  await refuseForeign(entry.indexFolder);
  yield* watchTarget(targetOf(entry, options), options);
}

function targetOf(
  entry: BuiltEntry | ChromaEntry,
  { scope, name, mayRead, environment, pollMs }: WatchConfiguredOptions,
): WatchTarget {
  const { indexFolder: folder } = entry;
  const usualMs = entry.kind === "chroma" && isAddress(entry.place) ? SERVER_POLL_MS : DIRECTORY_POLL_MS;
  return {
    name,
    folder,
    base: corpusBase(folder),
    named: [],
    narrows: entry.kind === "built" && entry.source === "files",
    ...(entry.kind === "chroma" && { pollMs: pollMs ?? usualMs }),
    // A commit is told of by what it changes there.
    ...(entry.kind === "built" && entry.source === "changelog" && { alsoWatched: (root) => [join(root, ".git")] }),
    async refresh(look, signal) {
      const [refreshed] = await refreshConfigured({
        scope,
        names: [name],
        mayRead,
        look,
        signal,
        ...(environment && { environment }),
      });
      if (refreshed?.summary !== undefined) return refreshed.summary;
      throw refreshed?.error ?? new WinnowError("internal", `${name} was not refreshed.`);
    },
  };
}
