import { type Item, type NameInText, type Pool, SHORT_TERMS } from "./pool.ts";
import { coverage, type Question } from "./question.ts";

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

/** Root of the rarity of a name's rarest word that the question lacks, 0 to 1; 0 where it has more than half of them. */
export function noveltyOf(name: NameInText, question: Question, pool: Pool): number {
  const fresh = name.parts.filter((part) => !question.termSet.has(part));
  if (fresh.length === 0 || fresh.length * 2 < name.parts.length) return 0;
  return Math.sqrt(Math.max(...fresh.map((part) => pool.rarity(part))));
}

/** Names of an item that are news against the question: at least half of their words are. */
export function leadsOf(item: Item, question: Question, pool: Pool): Lead[] {
  const leads: Lead[] = [];
  const base = COMPANY_BASE * focus(item);
  for (const [key, name] of item.names) {
    const novelty = noveltyOf(name, question, pool);
    if (novelty === 0) continue;
    const near = coverage(question, pool, (term) => name.company.has(term));
    leads.push({ name, key, strength: novelty * (base + near) });
  }
  return leads;
}

export interface LinkStrength {
  /** The lead names the chunk's title. */
  readonly title: number;
  /** The lead stands in its text. */
  readonly text: number;
  /** Share of the question that the chunk adds where the lead stands in it. */
  readonly added: number;
}

/** How strongly leads of `from` point to a chunk, and what the chunk adds to the question beside the name. */
export function linkTo(
  leads: readonly Lead[],
  from: Item,
  item: Item,
  question: Question,
  pool: Pool,
): LinkStrength | undefined {
  let title = 0;
  let text = 0;
  let added = 0;
  const wide = focus(item);
  for (const { name, key, strength } of leads) {
    if (!name.parts.every((part) => item.counts.has(part))) continue;
    const isTitle = item.titleKey === key;
    const inTitle = isTitle || name.parts.every((part) => item.titleParts.includes(part));
    const company = item.names.get(key)?.company;
    const near = coverage(question, pool, (term) => company?.has(term) === true && !name.company.has(term));
    const anywhere =
      inTitle || wide === 1 ? coverage(question, pool, (term) => item.counts.has(term) && !from.counts.has(term)) : 0;
    added = Math.max(added, near, anywhere, wide * anywhere);
    if (isTitle) title = Math.max(title, strength);
    else if (inTitle) title = Math.max(title, strength * PARTIAL_TITLE);
    else text = Math.max(text, strength);
  }
  return title === 0 && text === 0 ? undefined : { title, text, added };
}
