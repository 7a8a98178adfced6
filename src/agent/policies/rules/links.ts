import { type Item, type NameInText, type Pool, SHORT_TERMS } from "./pool.ts";
import { coverage, type Question } from "./question.ts";
import { followability } from "./words.ts";

/** A name counts for this much where no word of the question stands in its sentence and the chunk is short. */
const COMPANY_BASE = 0.5;
/** A link through a part of a title, against one through the whole. */
const PARTIAL_TITLE = 0.6;

/** A name in a chunk that the question does not give, with how well it may lead on. */
export interface Lead {
  readonly name: NameInText;
  readonly key: string;
  /** Novelty times how much of the question stands in its sentences, 0 to 1.5. */
  readonly strength: number;
}

/** Share of a chunk that is about any one of its names: 1 for a short one, less the longer it is. */
export function focus(item: Item): number {
  return Math.min(1, SHORT_TERMS / Math.max(1, item.length));
}

/**
 * How much of news a name is, 0 to 1: the root of the rarity of its rarest word that the question lacks, less where the name
 * is hardly one. 0 where the question has more than half of its words, and where nobody would follow it.
 */
export function noveltyOf(name: NameInText, question: Question, pool: Pool): number {
  const followed = followability(name.text);
  if (followed === 0) return 0;
  const fresh = name.parts.filter((part) => !question.termSet.has(part));
  if (fresh.length === 0 || fresh.length * 2 < name.parts.length) return 0;
  return Math.sqrt(Math.max(...fresh.map((part) => pool.rarity(part)))) * pool.properness(name.parts) * followed;
}

/** Names of an item that are news against the question: at least half of their words are. */
export function leadsOf(item: Item, question: Question, pool: Pool): Lead[] {
  const leads: Lead[] = [];
  if (item.isNoise) return leads;
  const base = COMPANY_BASE * focus(item);
  for (const [key, name] of item.names) {
    const novelty = noveltyOf(name, question, pool);
    if (novelty === 0) continue;
    const near = coverage(question, pool, (term) => name.company.has(term));
    leads.push({ name, key, strength: novelty * (base + near) });
  }
  return leads;
}

/** How strongly a chunk points to another one, and what that adds to the question beside the name. */
export interface LinkStrength {
  /** A lead names the chunk's title. */
  readonly title: number;
  /** A lead stands in its text; the less, the more other documents hold it too. */
  readonly text: number;
  /** Share of the question that the chunk adds where the lead stands in it. */
  readonly added: number;
  /** The strongest lead. */
  readonly name: NameInText;
}

/** Links from one chunk to every other one that its leads point to, by index in the pool. */
export function linksFrom(from: Item, question: Question, pool: Pool): Map<number, LinkStrength> {
  const links = new Map<number, LinkStrength>();
  for (const lead of leadsOf(from, question, pool)) {
    const holders = pool.holdersOf(lead.name.parts).filter((to) => {
      const item = pool.items[to];
      return item !== undefined && !item.isNoise && item.chunk.shownDocumentId !== from.chunk.shownDocumentId;
    });
    const documents = new Set(holders.map((to) => pool.items[to]?.chunk.shownDocumentId)).size;
    for (const to of holders) {
      const item = pool.items[to];
      if (item === undefined) continue;
      const link = linkThrough(lead, from, item, question, pool, documents);
      const known = links.get(to);
      links.set(to, known === undefined ? link : stronger(known, link));
    }
  }
  return links;
}

function linkThrough(
  { name, key, strength }: Lead,
  from: Item,
  item: Item,
  question: Question,
  pool: Pool,
  documents: number,
): LinkStrength {
  const isTitle = item.titleKey === key;
  const inTitle = isTitle || name.parts.every((part) => item.titleParts.includes(part));
  const wide = focus(item);
  const company = item.names.get(key)?.company;
  const near = coverage(question, pool, (term) => company?.has(term) === true && !name.company.has(term));
  const anywhere =
    inTitle || wide === 1 ? coverage(question, pool, (term) => item.counts.has(term) && !from.counts.has(term)) : 0;
  return {
    title: isTitle ? strength : inTitle ? strength * PARTIAL_TITLE : 0,
    text: inTitle ? 0 : strength / Math.sqrt(documents),
    added: Math.max(near, anywhere),
    name,
  };
}

function stronger(a: LinkStrength, b: LinkStrength): LinkStrength {
  return {
    title: Math.max(a.title, b.title),
    text: Math.max(a.text, b.text),
    added: Math.max(a.added, b.added),
    name: Math.max(b.title, b.text) > Math.max(a.title, a.text) ? b.name : a.name,
  };
}
