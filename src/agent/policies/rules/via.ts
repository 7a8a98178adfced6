import { linksFrom } from "./links.ts";
import type { Item } from "./pool.ts";
import { directOf, type Scoring } from "./score.ts";

/** Sources that are looked at: the most relevant ones, as where chains start. */
const SOURCES_MAX = 40;

/** The document that led to a chunk, and the name through which; undefined where none does. */
export function viaOf(
  item: Item,
  { question, pool, prior }: Pick<Scoring, "question" | "pool" | "prior">,
): { readonly name: string; readonly title: string } | undefined {
  const direct = directOf(question, pool, prior);
  const sources = pool.items
    .map((from, i) => ({ from, relevance: direct[i] ?? 0 }))
    .sort((a, b) => b.relevance - a.relevance)
    .slice(0, SOURCES_MAX);
  const to = pool.items.indexOf(item);
  let best: { readonly name: string; readonly title: string; readonly worth: number } | undefined;
  for (const { from, relevance } of sources) {
    const link = linksFrom(from, question, pool).get(to);
    if (link === undefined) continue;
    const worth = relevance * Math.max(link.title, link.text);
    if (worth > (best?.worth ?? 0)) best = { name: link.name.text, title: titleOf(from), worth };
  }
  return best === undefined ? undefined : { name: best.name, title: best.title };
}

/** A document without a title goes by the id that the list gives it. */
function titleOf({ chunk }: Item): string {
  return chunk.title.trim() === "" ? chunk.shownDocumentId : chunk.title;
}
