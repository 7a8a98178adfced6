import { linksFrom } from "./links.ts";
import type { Pool } from "./pool.ts";
import type { Question } from "./question.ts";
import type { Features } from "./score.ts";

/** A chain counts for this much where its end adds no word of the question. */
const ADDED_BASE = 0.3;
/** Links through shared text, against links through a title, in a second hop. */
const SECOND_TEXT = 0.3;
/** Items that chains start from: the most relevant ones, which keeps the work bounded. */
const SOURCES_MAX = 160;

interface Link {
  readonly from: number;
  readonly to: number;
  readonly title: number;
  readonly text: number;
  /** Share of the question that the end has and the start lacks. */
  readonly added: number;
}

/** Adds to the features how chunks link up, by the names that one brings up and another is about or shares. */
export function addChains(
  question: Question,
  pool: Pool,
  direct: readonly number[],
  features: readonly Features[],
): void {
  const links = linksOf(question, pool, direct);
  for (const { from, to, title, text, added } of links) {
    const start = features[from];
    const end = features[to];
    if (start === undefined || end === undefined) continue;
    const worth = (direct[from] ?? 0) * (ADDED_BASE + added);
    end.chainByTitle = Math.max(end.chainByTitle, worth * title);
    end.chainByText = Math.max(end.chainByText, worth * text);
    start.source = Math.max(start.source, worth * text);
  }
  for (const { from, to, title, text, added } of links) {
    const start = features[from];
    const end = features[to];
    if (start === undefined || end === undefined) continue;
    const worth = ((direct[from] ?? 0) + 3 * start.chainByTitle) * (ADDED_BASE + added);
    end.secondHop = Math.max(end.secondHop, worth * Math.max(title, SECOND_TEXT * text));
  }
}

function linksOf(question: Question, pool: Pool, direct: readonly number[]): Link[] {
  const order = pool.items.map((_, i) => i).sort((a, b) => (direct[b] ?? 0) - (direct[a] ?? 0));
  const links: Link[] = [];
  for (const from of order.slice(0, SOURCES_MAX)) {
    const start = pool.items[from];
    if (start === undefined) continue;
    for (const [to, { title, text, added }] of linksFrom(start, question, pool))
      links.push({ from, to, title, text, added });
  }
  return links;
}
