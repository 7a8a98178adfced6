import type { Item, NameInText, Pool } from "./pool.ts";
import { coverage, type Question } from "./question.ts";

/** A name counts for this much where no word of the question stands in its sentence. */
const COMPANY_BASE = 0.5;
/** A link through a part of a title, against one through the whole. */
const PARTIAL_TITLE = 0.6;

/** A name in a chunk that the question does not give, with how well it may lead on. */
export interface Lead {
  readonly name: NameInText;
  readonly key: string;
  /** Root of the rarity of its rarest new word times how much of the question stands in its sentences, 0 to 1.5. */
  readonly strength: number;
}

/** Names of an item that are news against the question: at least half of their words are. */
export function leadsOf(item: Item, question: Question, pool: Pool): Lead[] {
  const leads: Lead[] = [];
  for (const [key, name] of item.names) {
    const fresh = name.parts.filter((part) => !question.termSet.has(part));
    if (fresh.length === 0 || fresh.length * 2 < name.parts.length) continue;
    const rarity = Math.sqrt(Math.max(...fresh.map((part) => pool.rarity(part))));
    const near = coverage(question, pool, (term) => name.company.has(term));
    leads.push({ name, key, strength: rarity * (COMPANY_BASE + near) });
  }
  return leads;
}

/** How strongly leads point to a chunk: by its title, and by its text. */
export function linkTo(leads: readonly Lead[], item: Item): { readonly title: number; readonly text: number } {
  let title = 0;
  let text = 0;
  for (const { name, key, strength } of leads) {
    if (!name.parts.every((part) => item.counts.has(part))) continue;
    if (item.titleKey === key) title = Math.max(title, strength);
    else if (name.parts.every((part) => item.titleParts.includes(part)))
      title = Math.max(title, strength * PARTIAL_TITLE);
    else text = Math.max(text, strength);
  }
  return { title, text };
}
