import { WinnowError } from "../core/errors.ts";
import type { RecordHeader } from "../record/events.ts";
import type { Workspace } from "./workspace.ts";

/** Corpora that a caller may ask, by name; `null` for all, those to come included. */
export type CorpusNames = readonly string[] | null;

/**
 * A workspace as a caller may use it: it has the named corpora and no others, and its runs are kept beside them. Asking
 * for another, there or not, rejects with `forbidden`.
 */
export function scopedWorkspace(workspace: Workspace, names: CorpusNames): Workspace {
  if (names === null) return workspace;
  const places: Workspace["places"] = async () => {
    const own = (await workspace.places()).filter(({ name }) => names.includes(name));
    if (own.length > 0) return own;
    throw new WinnowError("corpus_not_found", "None of the corpora that this token may ask is indexed.", {
      hint: "Ask the operator of the server.",
    });
  };
  return {
    folder: workspace.folder,
    settings: workspace.settings,
    places,
    async corpora(named = []) {
      const own = (await places()).map(({ name }) => name);
      const refused = named.find((name) => !own.includes(name));
      if (refused === undefined) return workspace.corpora(named.length === 0 ? own : named);
      throw new WinnowError("forbidden", `This token may not ask a corpus "${refused}".`, {
        hint: `It may ask: ${own.join(", ")}.`,
      });
    },
    policy: (named) => workspace.policy(named),
    close: () => workspace.close(),
  };
}

/** Whether all corpora of a run may be asked by a caller, and so its record be read. */
export function coversRun(names: CorpusNames, { corpora }: Pick<RecordHeader, "corpora">): boolean {
  // A record may have been written by anybody: one that names no corpora is covered by all of them alone.
  return names === null || (Array.isArray(corpora) && corpora.every((corpus) => names.includes(corpus?.name)));
}
