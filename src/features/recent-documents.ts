import { WinnowError } from "../core/errors.ts";
import { DATE_HINT, parseDateRange } from "../core/filter-date.ts";
import { parseFilter } from "../core/filter-parse.ts";
import { provenanceOf } from "../core/provenance.ts";
import { findSuperseded } from "../core/supersession.ts";
import { oneLine } from "../core/text.ts";
import type { Notice } from "../core/types.ts";
import type { CorpusReader, DocumentSummary } from "../retrieval/corpus-reader.ts";
import { checkWhere } from "../retrieval/find/check-where.ts";
import { LISTED_DOCUMENTS_MAX } from "../retrieval/list-documents.ts";
import { firstLine } from "./first-line.ts";

const DAY_MS = 86_400_000;
/** How far back `recent` looks when nobody says. */
export const RECENT_DAYS = 7;
export const RECENT_DOCUMENTS = 50;
/** What stands where a document names no repository or no tag. */
const NONE = "";

export interface RecentOptions {
  /** ISO date, whole or in part; the last `RECENT_DAYS` days when left out. */
  readonly since?: string;
  readonly where?: readonly string[];
  /** Documents shown at most. */
  readonly documentsMax?: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly signal?: AbortSignal;
}

export interface RecentDocument {
  readonly id: string;
  readonly corpus: string;
  readonly uri: string;
  readonly title: string;
  /** ISO 8601. */
  readonly date: string;
  readonly tags: readonly string[];
  readonly line: string;
  readonly superseded?: string;
}

export interface RecentGroup {
  /** Empty where documents name none. */
  readonly repository: string;
  /** Documents of the group that moved, shown or not. */
  readonly documents: number;
  readonly tags: readonly { readonly tag: string; readonly documents: readonly RecentDocument[] }[];
}

export interface Recent {
  readonly schema: "recent/1";
  /** ISO 8601, inclusive. */
  readonly since: string;
  readonly corpora: readonly string[];
  /** All that moved, shown or not. */
  readonly documents: number;
  readonly shown: number;
  readonly truncated: boolean;
  /** Documents that carry no date, so that nobody can say whether they moved. */
  readonly undated: number;
  /** The group with the newest document first; within it tags likewise, documents newest first. */
  readonly groups: readonly RecentGroup[];
  readonly notices: readonly Notice[];
}

interface Moved extends RecentDocument {
  readonly time: number;
  readonly repository: string;
}

/**
 * What moved since a date, by repository and tag, the most recent first. A document stands under the one of its tags that
 * most documents of the answer share. Rejects with `invalid_argument` for a date that is none.
 */
export async function recentDocuments(corpora: readonly CorpusReader[], options: RecentOptions): Promise<Recent> {
  const { now, signal, documentsMax = RECENT_DOCUMENTS } = options;
  const since = sinceTime(options.since, now);
  const where = parseFilter(options.where ?? []);
  await checkWhere(corpora, where);
  const moved: Moved[] = [];
  const notices: Notice[] = [];
  let undated = 0;
  for (const corpus of corpora) {
    const answer = await corpus.documents({ where, ...(signal && { signal }) });
    notices.push(...(answer.notices ?? []));
    if (answer.truncated) notices.push(tooMany(corpus.name));
    undated += collect(corpus.name, answer.documents, since, moved);
  }
  moved.sort((a, b) => b.time - a.time || (a.id < b.id ? -1 : 1));
  const shown = moved.slice(0, documentsMax);
  return {
    schema: "recent/1",
    since: new Date(since).toISOString(),
    corpora: corpora.map(({ name }) => name),
    documents: moved.length,
    shown: shown.length,
    truncated: shown.length < moved.length,
    undated,
    groups: grouped(shown, moved),
    notices,
  };
}

function sinceTime(since: string | undefined, now: number): number {
  if (since === undefined) return now - RECENT_DAYS * DAY_MS;
  const range = parseDateRange(since.trim());
  if (range !== undefined) return range.start;
  throw new WinnowError("invalid_argument", `"${oneLine(since, 60)}" is not a date.`, { hint: DATE_HINT });
}

const tooMany = (corpus: string): Notice => ({
  code: "listing_truncated",
  message: `${corpus} has more than ${LISTED_DOCUMENTS_MAX.toLocaleString("en-US")} documents; only the first were looked at.`,
});

/** Adds what moved to `moved` and returns how many carry no date. */
function collect(corpus: string, documents: readonly DocumentSummary[], since: number, moved: Moved[]): number {
  let undated = 0;
  const superseded = findSuperseded(documents);
  for (const { id, uri, title, metadata, opening } of documents) {
    const { date, repository = NONE, tags } = provenanceOf(metadata);
    if (date === undefined) undated++;
    if (date === undefined || date < since) continue;
    const reason = superseded.get(id)?.reason;
    const line = firstLine(opening, title);
    moved.push({
      ...{ id, corpus, uri, title, date: new Date(date).toISOString(), tags, line, time: date, repository },
      ...(reason === undefined ? {} : { superseded: reason }),
    });
  }
  return undated;
}

function grouped(shown: readonly Moved[], all: readonly Moved[]): RecentGroup[] {
  const counts = new Map<string, number>();
  const tagCounts = new Map<string, number>();
  for (const { repository, tags } of all) {
    counts.set(repository, (counts.get(repository) ?? 0) + 1);
    for (const tag of tags) tagCounts.set(tag, (tagCounts.get(tag) ?? 0) + 1);
  }
  // A map keeps the order of first insertion, which is by date.
  const groups = new Map<string, Map<string, RecentDocument[]>>();
  for (const { time: _, repository, ...document } of shown) {
    const tags = groups.get(repository) ?? new Map<string, RecentDocument[]>();
    groups.set(repository, tags);
    const tag = mostShared(document.tags, tagCounts);
    const documents = tags.get(tag) ?? [];
    tags.set(tag, documents);
    documents.push(document);
  }
  return [...groups].map(([repository, tags]) => ({
    repository,
    documents: counts.get(repository) ?? 0,
    tags: [...tags].map(([tag, documents]) => ({ tag, documents })),
  }));
}

function mostShared(tags: readonly string[], counts: ReadonlyMap<string, number>): string {
  let best = NONE;
  for (const tag of tags) if (best === NONE || (counts.get(tag) ?? 0) > (counts.get(best) ?? 0)) best = tag;
  return best;
}
