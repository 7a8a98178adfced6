import type { Policy } from "../agent/policy.ts";
import type { SearchResult } from "../agent/result.ts";
import type { Run } from "../agent/run.ts";
import { provenanceOf } from "../core/provenance.ts";
import { findSuperseded } from "../core/supersession.ts";
import type { Metadata, Notice } from "../core/types.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { type FoundDocument, findDocuments } from "./find-documents.ts";
import { firstLine } from "./first-line.ts";
import { searchCorpora } from "./search-corpora.ts";

/** Longest group `load`: what a person or an agent reads before starting. */
export const LOAD_DOCUMENTS_MAX = 12;
/** Longest group `keep`. */
export const KEEP_DOCUMENTS_MAX = 12;
/** Documents that one query looks at beside the run. */
const LOOKED_AT_MAX = 40;

export interface BriefOptions {
  readonly task: string;
  readonly corpora: readonly CorpusReader[];
  readonly policy: Policy | (() => Policy | Promise<Policy>);
  readonly profile: string;
  readonly contextTokens?: number;
  readonly where?: readonly string[];
  readonly timeoutMs?: number;
  readonly runsFolder?: string;
  readonly signal?: AbortSignal;
  /** Told of the run as soon as it has started. */
  readonly onRun?: (run: Run) => void;
}

export interface BriefDocument {
  readonly id: string;
  readonly corpus: string;
  readonly uri: string;
  /** 1-based line of the passage that matters. */
  readonly line: number;
  readonly title: string;
  readonly repository?: string;
  /** ISO 8601. */
  readonly date?: string;
  /** One line of the document. */
  readonly about: string;
  /** Why it stands in its group. */
  readonly why: string;
}

export interface Brief {
  readonly schema: "brief/1";
  readonly task: string;
  readonly corpora: readonly string[];
  /** Read these before starting, best first. */
  readonly load: readonly BriefDocument[];
  /** Related: open them when the work touches them. */
  readonly keep: readonly BriefDocument[];
  /** Looks related and is better left alone: out of date, or named only in passing. */
  readonly ignore: readonly BriefDocument[];
  readonly runId: string;
  readonly recordPath: string | null;
  readonly notices: readonly Notice[];
}

interface Listed {
  readonly id: string;
  readonly corpus: string;
  readonly uri: string;
  readonly title: string;
  readonly metadata: Metadata;
  readonly passages: readonly { readonly text: string; readonly line: number }[];
}

/**
 * The working set of a task, in three groups. `load` is the list that a run of the agent ends with, less what is out of
 * date; `keep` and `ignore` come from one query, which casts a wider net. Rejects as `searchCorpora` does.
 */
export async function briefTask(options: BriefOptions): Promise<Brief> {
  const { corpora, task, where = [], signal } = options;
  const run = await searchCorpora({
    question: task,
    ...{ corpora, policy: options.policy, profile: options.profile, where },
    documentsMax: LOAD_DOCUMENTS_MAX,
    ...(options.timeoutMs === undefined ? {} : { limits: { timeoutMs: options.timeoutMs } }),
    ...(options.contextTokens === undefined ? {} : { contextTokens: options.contextTokens }),
    ...(options.runsFolder === undefined ? {} : { runsFolder: options.runsFolder }),
    ...(signal === undefined ? {} : { signal }),
  });
  options.onRun?.(run);
  const [result, wide] = await Promise.all([
    run.result,
    findDocuments(corpora, {
      text: task,
      mode: "hybrid",
      documentsMax: LOOKED_AT_MAX,
      where,
      ...(signal === undefined ? {} : { signal }),
    }),
  ]);
  return {
    schema: "brief/1",
    task: result.query,
    corpora: corpora.map(({ name }) => name),
    ...groups(result, wide.documents),
    runId: result.runId,
    recordPath: result.recordPath,
    notices: distinct([...result.notices, ...wide.notices]),
  };
}

function groups(result: SearchResult, wide: readonly FoundDocument[]): Pick<Brief, "load" | "keep" | "ignore"> {
  const listed = new Set(result.documents.map(keyOf));
  const others = wide.filter((document) => !listed.has(keyOf(document)));
  const superseded = findSuperseded([...result.documents, ...others]);
  const current = (document: Listed): boolean => !superseded.has(document.id);
  const why = new Map(result.documents.map((document) => [keyOf(document), document.justification]));
  const keep = others.filter(current).slice(0, KEEP_DOCUMENTS_MAX);
  const rest = others.filter((document) => current(document) && !keep.includes(document));
  return {
    load: result.documents.filter(current).map((document) => entry(document, why.get(keyOf(document)) ?? "")),
    keep: keep.map((document) => entry(document, "")),
    ignore: [
      ...[...result.documents, ...others]
        .filter((document) => !current(document))
        .map((document) => entry(document, superseded.get(document.id)?.reason ?? "")),
      ...rest.map((document) => entry(document, "")),
    ],
  };
}

/** Ids are unique within a corpus only. */
const keyOf = ({ corpus, id }: { readonly corpus: string; readonly id: string }): string => `${corpus}\u0000${id}`;

function entry({ id, corpus, uri, title, metadata, passages }: Listed, why: string): BriefDocument {
  const { date, repository } = provenanceOf(metadata);
  const [passage] = passages;
  return {
    ...{ id, corpus, uri, line: passage?.line ?? 1, title },
    ...(repository === undefined ? {} : { repository }),
    ...(date === undefined ? {} : { date: new Date(date).toISOString() }),
    about: firstLine(passage?.text ?? "", title),
    why,
  };
}

function distinct(notices: readonly Notice[]): Notice[] {
  return [...new Map(notices.map((notice) => [JSON.stringify(notice), notice])).values()];
}
