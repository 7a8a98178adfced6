import type { Policy } from "../agent/policy.ts";
import { type Asked, bestSentence } from "../agent/reason.ts";
import type { SearchResult } from "../agent/result.ts";
import type { Run } from "../agent/run.ts";
import { isArchived, provenanceOf } from "../core/provenance.ts";
import { findSuperseded } from "../core/supersession.ts";
import type { DocumentName, Metadata, Notice } from "../core/types.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { askedOver, coverageOf } from "./asked-over.ts";
import { type FoundDocument, findDocuments } from "./find-documents.ts";
import { firstSentence } from "./first-line.ts";
import { searchCorpora } from "./search-corpora.ts";
import { wordsOf } from "./words-of.ts";

/** Longest group `load`: what a person or an agent reads before starting. */
export const LOAD_DOCUMENTS_MAX = 5;
/** Longest list of the run: what does not go into `load` leads `keep`. */
const RUN_DOCUMENTS_MAX = 12;
/** Longest group `keep`. */
export const KEEP_DOCUMENTS_MAX = 12;
/** Documents that one query looks at beside the run. */
const LOOKED_AT_MAX = 40;
/** How fast a place in a list loses weight: the first counts twice the fourth. */
const RANK_HALF = 3;
/** What a document that is put away counts for: it holds, and is seldom what work needs first. */
const ARCHIVED_SHARE = 0.7;
/** Share of the task's weight from which a sentence tells why a document is there. */
const TOLD_MIN = 0.15;
const TOLD_WORDS_MIN = 4;

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
  readonly duplicates: readonly DocumentName[];
}

/**
 * The working set of a task, in three groups. `load` is the head of the list that a run of the agent ends with, less what
 * is out of date; the rest of it leads `keep`, which goes on, as `ignore` does, with what one query finds, which casts a
 * wider net. Documents whose titles name what the task is about move up in each. Rejects as `searchCorpora` does.
 */
export async function briefTask(options: BriefOptions): Promise<Brief> {
  const { corpora, task, where = [], signal } = options;
  const run = await searchCorpora({
    question: task,
    ...{ corpora, policy: options.policy, profile: options.profile, where },
    documentsMax: RUN_DOCUMENTS_MAX,
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
  const others = withoutCopies(wide, result.documents);
  const all: readonly Listed[] = [...result.documents, ...others];
  const superseded = findSuperseded(all);
  const isCurrent = (document: Listed): boolean => !superseded.has(document.id);
  const asked = askedOver(
    result.query,
    all.map(({ passages }) => passages.map(({ text }) => text).join("\n")),
  );
  const written = new Map(result.documents.map((document) => [keyOf(document), document.justification]));
  const why = (document: Listed): string => told(document, written.get(keyOf(document)) || said(document, asked));
  const listed = ordered(result.documents.filter(isCurrent), asked);
  const behind = [...listed.slice(LOAD_DOCUMENTS_MAX), ...ordered(others.filter(isCurrent), asked)];
  return {
    load: listed.slice(0, LOAD_DOCUMENTS_MAX).map((document) => entry(document, why(document))),
    keep: behind.slice(0, KEEP_DOCUMENTS_MAX).map((document) => entry(document, why(document))),
    ignore: [
      ...all
        .filter((document) => !isCurrent(document))
        .map((document) => entry(document, superseded.get(document.id)?.reason ?? "")),
      ...behind.slice(KEEP_DOCUMENTS_MAX).map((document) => entry(document, "Ranks behind what is listed above.")),
    ],
  };
}

/** What one query found beside a list: neither its documents nor copies of them. */
function withoutCopies(wide: readonly FoundDocument[], listed: readonly Listed[]): FoundDocument[] {
  const known = new Set(listed.flatMap((document) => [document, ...document.duplicates].map(keyOf)));
  return wide.filter((document) => [document, ...document.duplicates].every((one) => !known.has(keyOf(one))));
}

/** By rank, what the title says of the task, and whether it is put away. */
function ordered<Document extends Listed>(documents: readonly Document[], asked: Asked): Document[] {
  const weighed = documents.map((document, i) => {
    const named = 1 + coverageOf(document.title, asked);
    const share = isArchived(document.metadata, document.uri) ? ARCHIVED_SHARE : 1;
    return { document, weight: (named * share) / (RANK_HALF + i) };
  });
  return weighed.sort((a, b) => b.weight - a.weight).map(({ document }) => document);
}

/** The best sentence of a document for the task; empty where none says much of it. */
function said({ title, passages }: Listed, asked: Asked): string {
  const found = passages.map(({ text }) => bestSentence(text, [title], asked));
  const best = found.reduce((a, b) => (b.share > a.share ? b : a), { text: "", share: 0 });
  const isTold = best.share >= TOLD_MIN && best.text.split(" ").length >= TOLD_WORDS_MIN;
  return isTold ? best.text : "";
}

function told(document: Listed, why: string): string {
  return isArchived(document.metadata, document.uri) ? `Archived. ${why}`.trim() : why;
}

/** Ids are unique within a corpus only. */
const keyOf = ({ corpus, id }: { readonly corpus: string; readonly id: string }): string => `${corpus}\u0000${id}`;

function entry({ id, corpus, uri, title, metadata, passages }: Listed, why: string): BriefDocument {
  const { date, repository } = provenanceOf(metadata);
  const [passage] = passages;
  const first = firstSentence(passage?.text ?? "", title);
  // One line is enough where both are the same.
  const isSame = wordsOf(first).includes(wordsOf(why)) || wordsOf(why).startsWith(wordsOf(first));
  return {
    ...{ id, corpus, uri, line: passage?.line ?? 1, title },
    ...(repository === undefined ? {} : { repository }),
    ...(date === undefined ? {} : { date: new Date(date).toISOString() }),
    about: isSame && why.length > first.length ? why : first,
    why: isSame ? "" : why,
  };
}

function distinct(notices: readonly Notice[]): Notice[] {
  return [...new Map(notices.map((notice) => [JSON.stringify(notice), notice])).values()];
}
