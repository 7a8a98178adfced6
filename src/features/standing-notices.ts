import { type Dated, findSuperseded } from "../core/supersession.ts";
import { plural } from "../core/text.ts";
import type { Notice } from "../core/types.ts";
import { corpusBase } from "../retrieval/corpus/layout.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";

/** Documents that one notice names; the rest are counted. */
const NAMED_MAX = 5;

/**
 * What a reader should know about how the documents of a list stand today: files that changed or went since they were
 * indexed (`stale_documents`), and documents that others, or they themselves, say to be out of date
 * (`superseded_documents`). Never rejects: a list without these notices is better than none.
 */
export async function standingNotices(
  corpora: readonly CorpusReader[],
  documents: readonly (Dated & { readonly corpus: string })[],
): Promise<Notice[]> {
  const notices: Notice[] = [];
  for (const corpus of corpora) {
    const own = documents.filter((document) => document.corpus === corpus.name);
    if (own.length === 0) continue;
    const stale = await corpus.stale?.(own.map(({ id }) => id)).catch(() => []);
    if (stale !== undefined && stale.length > 0) {
      const names = listed(stale.map(({ id, state }) => (state === "gone" ? `${id} (gone)` : id)));
      const verb = stale.length === 1 ? "has" : "have";
      const message = `${plural(stale.length, "document")} ${verb} changed since the index of ${corpus.name} was made: ${names}. ${await remedy(corpus)}`;
      notices.push({ code: "stale_documents", message });
    }
    const superseded = [...findSuperseded(own)].map(([id, { reason }]) => `${id} (${reason})`);
    if (superseded.length > 0) {
      notices.push({
        code: "superseded_documents",
        message: `Out of date by what is written there: ${listed(superseded)}.`,
      });
    }
  }
  return notices;
}

function listed(names: readonly string[]): string {
  const left = names.length - NAMED_MAX;
  return `${names.slice(0, NAMED_MAX).join(", ")}${left > 0 ? ` and ${left} more` : ""}`;
}

/** What brings a corpus up to date. */
async function remedy(corpus: CorpusReader): Promise<string> {
  const info = await corpus.info().catch(() => undefined);
  const base = info?.base;
  if (info === undefined || base === undefined || base === corpusBase(info.location)) {
    return "Refresh it with: winnow index";
  }
  return `It is a copy: refresh the index of ${base}, and copy that again.`;
}
