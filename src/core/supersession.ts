import { type Provenance, provenanceOf, STALE_STATUS } from "./provenance.ts";
import type { Metadata } from "./types.ts";

/** What supersession is judged by. */
export interface Dated {
  readonly id: string;
  readonly uri: string;
  readonly title: string;
  readonly metadata: Metadata;
}

export interface Superseded {
  /** Id of the document that took its place, where it is among those compared. */
  readonly by?: string;
  /** One short sentence for people and models. */
  readonly reason: string;
}

/** A version or a date at the end of a name: two names that differ in nothing else are versions of one document. */
const VERSION_SUFFIX = /[-_. ]*(?:v(?:ersion)?[-_. ]?\d+(?:[._]\d+)*|\d{4}-\d{2}-\d{2}|\d+\.\d+(?:\.\d+)*)$/iu;

/**
 * Which of these documents another one, or they themselves, say to be out of date, keyed by id. In this order: the
 * document names its successor, another one names it as what it replaces, its status says so, or a newer version of the
 * same name lies in the same folder of the same repository.
 */
export function findSuperseded(documents: readonly Dated[]): ReadonlyMap<string, Superseded> {
  const known = documents.map((document) => ({ ...document, from: provenanceOf(document.metadata) }));
  const byName = new Map<string, string>();
  for (const { id, uri, title, from } of known) {
    for (const name of [id, uri, from.path ?? "", title]) if (name !== "") byName.set(nameKey(name), id);
  }
  const replacedBy = new Map<string, string>();
  for (const { id, from } of known) {
    for (const name of from.supersedes) {
      const target = byName.get(nameKey(name));
      if (target !== undefined && target !== id) replacedBy.set(target, id);
    }
  }
  const newest = newestVersions(known);
  const found = new Map<string, Superseded>();
  for (const document of known) {
    const judged = judge(document, byName, replacedBy, newest);
    if (judged !== undefined) found.set(document.id, judged);
  }
  return found;
}

type Known = Dated & { readonly from: Provenance };

function judge(
  { id, uri, title, from }: Known,
  byName: ReadonlyMap<string, string>,
  replacedBy: ReadonlyMap<string, string>,
  newest: ReadonlyMap<string, Known>,
): Superseded | undefined {
  if (from.supersededBy !== undefined) {
    const by = byName.get(nameKey(from.supersededBy));
    return { ...(by === undefined ? {} : { by }), reason: `superseded by ${from.supersededBy}` };
  }
  const replacing = replacedBy.get(id);
  if (replacing !== undefined) return { by: replacing, reason: `superseded by ${replacing}` };
  if (from.status !== undefined && STALE_STATUS.test(from.status)) {
    return { reason: `its status is ${from.status.toLowerCase()}` };
  }
  const series = seriesOf(uri, title, from);
  const latest = series === undefined ? undefined : newest.get(series);
  if (latest === undefined || latest.id === id || (latest.from.date ?? 0) <= (from.date ?? 0)) return undefined;
  return { by: latest.id, reason: `a newer version is ${latest.id}` };
}

function newestVersions(documents: readonly Known[]): Map<string, Known> {
  const newest = new Map<string, Known>();
  for (const document of documents) {
    const series = seriesOf(document.uri, document.title, document.from);
    if (series === undefined || document.from.date === undefined) continue;
    const latest = newest.get(series);
    if (latest === undefined || document.from.date > (latest.from.date ?? 0)) newest.set(series, document);
  }
  return newest;
}

/** What all versions of a document share; undefined for a name without a version. Parts of one file are no versions. */
function seriesOf(uri: string, title: string, from: Provenance): string | undefined {
  const path = from.path ?? uri;
  const slash = path.lastIndexOf("/");
  const stem = path.slice(slash + 1).replace(/\.[A-Za-z]\w{0,9}$/u, "");
  if (!VERSION_SUFFIX.test(stem)) return undefined;
  const name = stem.replace(VERSION_SUFFIX, "");
  // A name that is nothing but its date is an entry of a journal, not a version.
  if (name === "") return undefined;
  const heading = title.replace(VERSION_SUFFIX, "").toLowerCase();
  return JSON.stringify([from.repository ?? "", path.slice(0, slash + 1), name.toLowerCase(), heading]);
}

/** Names as people write them in front matter: without folders, extension, brackets of a wiki link, or case. */
function nameKey(name: string): string {
  const bare = name.replace(/^\[\[|\]\]$/gu, "").trim();
  return bare
    .slice(bare.lastIndexOf("/") + 1)
    .replace(/\.(?:md|mdx|txt|html?)$/iu, "")
    .toLowerCase();
}
