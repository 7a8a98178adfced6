import type { Policy } from "../agent/policy.ts";
import { type Config, loadConfig } from "../config/config.ts";
import { WinnowError } from "../core/errors.ts";
import { didYouMean } from "../core/suggest.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { choosePolicy } from "./choose-policy.ts";
import { type CorpusPlace, type CorpusScope, locateCorpora, placeOpener } from "./open-corpora.ts";
import { policyAccess } from "./policy-access.ts";

export interface WorkspaceOptions {
  /** Folder whose configuration holds and from which the index is looked for. */
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Corpora that may be used at all; empty: all that the folder has. */
  readonly corpora?: readonly string[];
  /** Instead of the configured policy. */
  readonly policy?: string;
  /** Policies that a caller may name besides; none by default. */
  readonly policies?: readonly string[];
  readonly baseUrl?: string | undefined;
  readonly apiKeyEnv?: string | undefined;
}

/**
 * What a server works on: corpora that stay open between calls, and the configuration as it was when it started. Callers
 * name corpora only as `places` names them, never by a path.
 */
export interface Workspace {
  readonly folder: string;
  readonly settings: Config["settings"];
  /** Corpora that can be used now: those indexed since the start are among them. Rejects with `corpus_not_found`. */
  places(): Promise<readonly CorpusPlace[]>;
  /**
   * Open corpora by name; none named: those that a command in the folder would use. They belong to the workspace. Rejects
   * with `corpus_not_found`.
   */
  corpora(named?: readonly string[]): Promise<readonly CorpusReader[]>;
  /**
   * A policy of its own for each run: the operator's, or one that the operator lets callers name. Rejects with `forbidden`
   * for any other.
   */
  policy(named?: string): Promise<Policy>;
  close(): Promise<void>;
}

/** Reads the configuration; corpora are opened when they are first asked for. */
export async function openWorkspace(options: WorkspaceOptions): Promise<Workspace> {
  const { workingFolder, environment } = options;
  const { settings } = await loadConfig(workingFolder, environment);
  const { corpora: known, mirrorGigabytes } = settings;
  const scope: CorpusScope = { workingFolder, named: options.corpora ?? [], known, mirrorGigabytes };
  const access = policyAccess(settings, { baseUrl: options.baseUrl, apiKeyEnv: options.apiKeyEnv });
  const readers = new Map<string, Promise<CorpusReader>>();
  let opener: ReturnType<typeof placeOpener> | undefined;

  const open = (place: CorpusPlace): Promise<CorpusReader> => {
    opener ??= placeOpener();
    const known = readers.get(place.folder);
    if (known !== undefined) return known;
    const reader = opener.then((openPlace) => openPlace(place));
    readers.set(place.folder, reader);
    // What could not be opened is tried again by the next call.
    reader.catch(() => readers.delete(place.folder));
    return reader;
  };

  return {
    folder: workingFolder,
    settings,
    places: () => locateCorpora(scope),
    async corpora(named = []) {
      const places = await locateCorpora(scope);
      return Promise.all((named.length === 0 ? places : chosen(places, named)).map(open));
    },
    async policy(named) {
      const own = options.policy ?? settings.policy;
      if (named === undefined || named === own) return choosePolicy(own, access);
      const allowed = options.policies ?? [];
      if (allowed.includes(named)) return choosePolicy(named, access);
      throw new WinnowError("forbidden", "This server does not let callers choose that policy.", {
        hint: `Leave it out, or name one of: ${[own, ...allowed].join(", ")}.`,
      });
    },
    async close() {
      const opened = [...readers.values()];
      readers.clear();
      await Promise.all(opened.map((reader) => reader.then((corpus) => corpus.close()).catch(() => undefined)));
    },
  };
}

function chosen(places: readonly CorpusPlace[], named: readonly string[]): CorpusPlace[] {
  return [...new Set(named)].map((name) => {
    const place = places.find((one) => one.name === name);
    if (place !== undefined) return place;
    const names = places.map((one) => one.name);
    throw new WinnowError("corpus_not_found", `There is no corpus "${name}".${didYouMean(name, names)}`, {
      hint: `Corpora: ${names.join(", ")}.`,
    });
  });
}
