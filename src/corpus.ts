import { resolve } from "node:path";
import type { Run, RunLimits } from "./agent/run.ts";
import { type Brief, briefTask } from "./features/brief-task.ts";
import { type FindDocumentsOptions, type FoundDocuments, findDocuments } from "./features/find-documents.ts";
import { type DocumentText, type LineRange, readDocument } from "./features/read-document.ts";
import { type Recent, recentDocuments } from "./features/recent-documents.ts";
import { resolveDocumentIds } from "./features/resolve-document.ts";
import { searchWorkspace } from "./features/search-workspace.ts";
import { sinceFilter } from "./features/since-filter.ts";
import { openWorkspace, type Workspace } from "./features/workspace.ts";

/** How many documents `find` lists when nobody says. */
const FIND_DOCUMENTS = 10;

export interface OpenCorpusOptions {
  /** Folder whose index and `winnow.json` hold; the working folder when left out. */
  readonly folder?: string;
  /** What decides in `search` and `brief`, as `--policy` names it; the configured one when left out. */
  readonly policy?: string;
  /** Address of the policy's server, and the name of the variable that holds its key. */
  readonly baseUrl?: string;
  readonly apiKeyEnv?: string;
  /** Read for keys and for the place of the user's configuration; `process.env` when left out. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** Narrows what is looked at; shared by every query. */
export interface Narrowing {
  /** Filters, all of which must hold, e.g. `modified>=2026-05`. */
  readonly where?: readonly string[];
  /** ISO date, whole or in part: only documents that changed since. */
  readonly since?: string;
  readonly signal?: AbortSignal;
}

export interface FindOptions extends Narrowing {
  /** `hybrid` when left out. */
  readonly mode?: FindDocumentsOptions["mode"];
  /** Documents at most. */
  readonly documents?: number;
  /** Documents to leave out, by place or id. */
  readonly exclude?: readonly string[];
}

export interface SearchOptions extends Narrowing {
  /** Documents at most, 1 to 30. */
  readonly documents?: number;
  readonly exclude?: readonly string[];
  /** Documents that the caller has read: they may be built on, and are not listed. */
  readonly known?: readonly string[];
  /** Runs whose lists are fused. */
  readonly rollouts?: number;
  readonly limits?: RunLimits;
}

export interface RecentOptions {
  readonly since?: string;
  readonly where?: readonly string[];
  readonly documents?: number;
  readonly signal?: AbortSignal;
}

/** Open corpora. Everything that they do rejects with `WinnowError`. */
export interface Corpus {
  /** Folder that places are written from. */
  readonly folder: string;
  /** One query, without an agent. */
  find(text: string, options?: FindOptions): Promise<FoundDocuments>;
  /**
   * A run of the agent: iterate it for its events as they happen, or await `result`. It is going on either way, and is
   * recorded in the corpus.
   */
  search(question: string, options?: SearchOptions): Promise<Run>;
  /** A document as it was indexed, by place or id, whole or some of its lines. */
  read(document: string, lines?: LineRange): Promise<DocumentText>;
  /** The working set of a task, in three groups. */
  brief(task: string, options?: Narrowing): Promise<Brief>;
  /** What moved since a date. */
  recent(options?: RecentOptions): Promise<Recent>;
  close(): Promise<void>;
}

/**
 * Opens the corpora of a folder: those named, by name from `winnow.json` or by folder, else the nearest index upwards. The
 * first query opens files; a folder without an index rejects there, with `corpus_not_found`.
 */
export async function openCorpus(
  names: string | readonly string[] = [],
  options: OpenCorpusOptions = {},
): Promise<Corpus> {
  const { policy, baseUrl, apiKeyEnv, environment = process.env } = options;
  const workspace = await openWorkspace({
    workingFolder: resolve(options.folder ?? "."),
    environment,
    corpora: typeof names === "string" ? [names] : names,
    baseUrl,
    apiKeyEnv,
    ...(policy === undefined ? {} : { policy }),
  });
  return corpusOf(workspace);
}

function corpusOf(workspace: Workspace): Corpus {
  const { folder, settings } = workspace;
  return {
    folder,
    async find(text, options = {}) {
      const corpora = await workspace.corpora();
      return findDocuments(corpora, {
        text,
        mode: options.mode ?? "hybrid",
        documentsMax: options.documents ?? FIND_DOCUMENTS,
        where: filters(options),
        exclude: await resolveDocumentIds(corpora, options.exclude ?? [], folder),
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    },
    search: (question, options = {}) => searchWorkspace(workspace, { ...options, question }),
    read: async (document, lines) => readDocument(await workspace.corpora(), document, folder, lines),
    async brief(task, options = {}) {
      const [place] = await workspace.places();
      return briefTask({
        task,
        corpora: await workspace.corpora(),
        policy: workspace.policy,
        profile: settings.profile,
        contextTokens: settings.contextTokens,
        where: filters(options),
        timeoutMs: 1000 * settings.timeoutSeconds,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        ...(place === undefined ? {} : { runsFolder: place.runsFolder }),
      });
    },
    async recent({ documents, since, ...options } = {}) {
      return recentDocuments(await workspace.corpora(), {
        ...options,
        now: Date.now(),
        ...(since === undefined ? {} : { since }),
        ...(documents === undefined ? {} : { documentsMax: documents }),
      });
    },
    close: () => workspace.close(),
  };
}

function filters({ where = [], since }: Narrowing): string[] {
  return [...where, ...(since === undefined ? [] : [sinceFilter(since)])];
}
