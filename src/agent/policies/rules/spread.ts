import { noveltyOf } from "./links.ts";
import type { Item, NameInText, Pool, Unit } from "./pool.ts";
import { coverage, type Question } from "./question.ts";

/** Hops that relevance spreads over. */
const HOPS_MAX = 3;
/** What a hop keeps of its start where its end adds no word of the question. */
const HOP_BASE = 0.5;
/** Names that a hop starts from: the most relevant ones, which keeps the work bounded. */
const NAMES_MAX = 60;

export interface ReachedName {
  readonly name: NameInText;
  readonly key: string;
  /** The chunk that brought it up best. */
  readonly from: Item;
  /** 0 to 1. */
  readonly worth: number;
}

export interface Spread {
  /** How well the best unit of an item is reached after 1, 2, … hops, 0 where it is not; no entry where none is. */
  readonly reached: ReadonlyMap<Item, readonly number[]>;
  /** Names that are news against the question, best first. */
  readonly names: readonly ReachedName[];
  /** Share of the question in the best unit of each item, against the best of all, 0 to 1. */
  readonly direct: ReadonlyMap<Item, number>;
}

interface Place {
  readonly item: Item;
  readonly unit: Unit;
  /** Share of the question's weight against the best place, 0 to 1. */
  readonly near: number;
}

/**
 * Lets relevance spread from the question over names: a unit that shares words with the question makes its other names
 * relevant, a unit that holds a relevant name is reached by it and makes its own names relevant in turn.
 */
export function spread(question: Question, pool: Pool): Spread {
  const { places, byTerm, direct } = readPlaces(question, pool);
  const reached = new Map<Item, number[]>();
  const known = new Map<string, ReachedName>();
  let sources: (readonly [Place, number])[] = places.map((place) => [place, place.near]);
  for (let hop = 0; ; hop++) {
    const fresh = newNames(sources, question, pool, known);
    for (const name of fresh) known.set(name.key, name);
    if (hop === HOPS_MAX) break;
    const next = new Map<Place, number>();
    for (const { name, worth, from } of fresh.slice(0, NAMES_MAX)) {
      for (const place of placesOf(name, byTerm)) {
        if (place.item.chunk.shownDocumentId === from.chunk.shownDocumentId) continue;
        const added = coverage(question, pool, (term) => place.unit.terms.has(term) && !from.counts.has(term));
        const value = worth * Math.min(1, HOP_BASE + added);
        next.set(place, Math.max(next.get(place) ?? 0, value));
      }
    }
    for (const [{ item }, value] of next) {
      const values = reached.get(item) ?? Array.from({ length: HOPS_MAX }, () => 0);
      values[hop] = Math.max(values[hop] ?? 0, value);
      reached.set(item, values);
    }
    sources = [...next];
  }
  return { reached, direct, names: [...known.values()].sort((a, b) => b.worth - a.worth) };
}

interface Places {
  /** Those that share something with the question. */
  readonly places: readonly Place[];
  readonly byTerm: ReadonlyMap<string, readonly Place[]>;
  readonly direct: ReadonlyMap<Item, number>;
}

function readPlaces(question: Question, pool: Pool): Places {
  const shares = pool.items.flatMap((item) =>
    item.units.map((unit) => ({ item, unit, share: coverage(question, pool, (term) => unit.terms.has(term)) })),
  );
  // Not spread over arguments: a chunk without an end to its sentences may have any number of them.
  const best = shares.reduce((most, { share }) => Math.max(most, share), Number.MIN_VALUE);
  const byTerm = new Map<string, Place[]>();
  const direct = new Map<Item, number>();
  const places: Place[] = [];
  for (const { item, unit, share } of shares) {
    const place = { item, unit, near: share / best };
    direct.set(item, Math.max(direct.get(item) ?? 0, place.near));
    if (place.near > 0) places.push(place);
    for (const term of unit.terms) {
      const list = byTerm.get(term);
      if (list === undefined) byTerm.set(term, [place]);
      else list.push(place);
    }
  }
  return { places, byTerm, direct };
}

/** Names that the sources bring up and that were not known before, best first. */
function newNames(
  sources: readonly (readonly [Place, number])[],
  question: Question,
  pool: Pool,
  known: ReadonlyMap<string, ReachedName>,
): ReachedName[] {
  const found = new Map<string, ReachedName>();
  for (const [{ item, unit }, value] of sources) {
    for (const key of unit.names) {
      const name = item.names.get(key);
      if (name === undefined || known.has(key)) continue;
      const worth = value * noveltyOf(name, question, pool);
      if (worth > (found.get(key)?.worth ?? 0)) found.set(key, { name, key, from: item, worth });
    }
  }
  return [...found.values()].sort((a, b) => b.worth - a.worth);
}

/** Units that hold all words of a name. */
function placesOf(name: NameInText, byTerm: ReadonlyMap<string, readonly Place[]>): readonly Place[] {
  let rarest: readonly Place[] | undefined;
  for (const part of name.parts) {
    const places = byTerm.get(part) ?? [];
    if (rarest === undefined || places.length < rarest.length) rarest = places;
  }
  return (rarest ?? []).filter(({ unit }) => name.parts.every((part) => unit.terms.has(part)));
}
