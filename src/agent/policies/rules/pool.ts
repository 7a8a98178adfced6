import { noiseShare } from "../../../retrieval/find/text-form.ts";
import type { ShownChunk } from "../../context/rendered.ts";
import { commonWords, names, prose, sentences, terms } from "./words.ts";

/** BM25's usual constants (Robertson and Zaragoza 2009). */
const K1 = 1.2;
const B = 0.75;
/** Names of one chunk that are looked at; a table of contents has hundreds. */
const NAMES_PER_CHUNK_MAX = 40;
/** Content words up to which a chunk is about one thing, so that all of it is company for its names. */
export const SHORT_TERMS = 100;

/** From this share on, a text is links, an index or data: its names lead anywhere. */
const NOISE_MIN = 0.5;

export interface NameInText {
  /** As written. */
  readonly text: string;
  /** Its folded words. */
  readonly parts: readonly string[];
  /** Content words of the sentences that it stands in. */
  readonly company: ReadonlySet<string>;
}

/** A span whose names belong together: a sentence with the title, or the whole of a short chunk. */
export interface Unit {
  readonly terms: ReadonlySet<string>;
  /** Folded names in it. */
  readonly names: ReadonlySet<string>;
}

/** A visible chunk with what the rules need of it. */
export interface Item {
  readonly chunk: ShownChunk;
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
  readonly titleParts: readonly string[];
  readonly titleKey: string;
  /** Names in title and text by their folded words. */
  readonly names: ReadonlyMap<string, NameInText>;
  readonly units: readonly Unit[];
  /** Folded words that stand in the text in lower case. */
  readonly common: ReadonlySet<string>;
  /** True of lists of links, indexes and encoded data: nothing is followed out of them or into them. */
  readonly isNoise: boolean;
}

export interface Weighing {
  weight(term: string): number;
}

/**
 * The visible chunks as a small collection of its own. Relevance is BM25 with document frequencies counted over what is
 * in the context, since the rules see no scores of the store.
 */
export class Pool implements Weighing {
  readonly items: readonly Item[];
  readonly #frequency = new Map<string, number>();
  readonly #holders = new Map<string, number[]>();
  /** Words that stand somewhere in lower case: no names of their own. */
  readonly #common = new Set<string>();
  readonly #averageLength: number;

  constructor(chunks: readonly ShownChunk[]) {
    this.items = chunks.map(itemOf);
    for (const [i, item] of this.items.entries()) {
      for (const word of item.common) this.#common.add(word);
      for (const term of item.counts.keys()) {
        this.#frequency.set(term, (this.#frequency.get(term) ?? 0) + 1);
        const holders = this.#holders.get(term);
        if (holders === undefined) this.#holders.set(term, [i]);
        else holders.push(i);
      }
    }
    this.#averageLength = this.items.reduce((sum, item) => sum + item.length, 0) / Math.max(1, this.items.length);
  }

  /** Robertson-Sparck Jones weight of a term over the pool, never negative. */
  weight(term: string): number {
    const df = this.#frequency.get(term) ?? 0;
    return Math.log(1 + (this.items.length - df + 0.5) / (df + 0.5));
  }

  /** Weight as a share of the largest possible one, 0 to 1: how telling a term is. */
  rarity(term: string): number {
    return this.weight(term) / Math.log(2 * this.items.length + 2);
  }

  /** Indices of the items that hold all of these terms. */
  holdersOf(parts: readonly string[]): readonly number[] {
    let rarest: readonly number[] | undefined;
    for (const part of parts) {
      const holders = this.#holders.get(part) ?? [];
      if (rarest === undefined || holders.length < rarest.length) rarest = holders;
    }
    return (rarest ?? []).filter((i) => parts.every((part) => this.items[i]?.counts.has(part)));
  }

  /**
   * How much a name is one, 0 to 1: the share of its words that stand nowhere in lower case. `Application Server` is none
   * where people write of servers.
   */
  properness(parts: readonly string[]): number {
    const proper = parts.filter((part) => !this.#common.has(part)).length;
    return proper / Math.max(1, parts.length);
  }

  /** BM25 of a bag of terms against one item. */
  score(query: readonly string[], item: Item): number {
    let score = 0;
    for (const term of query) {
      const count = item.counts.get(term);
      if (count === undefined) continue;
      const norm = count + K1 * (1 - B + (B * item.length) / this.#averageLength);
      score += (this.weight(term) * count * (K1 + 1)) / norm;
    }
    return score;
  }
}

/** Reading a chunk costs more than anything else here and depends on the chunk alone. */
const read = new WeakMap<ShownChunk, Item>();

function itemOf(chunk: ShownChunk): Item {
  const known = read.get(chunk);
  if (known !== undefined) return known;
  const item = readItem(chunk);
  read.set(chunk, item);
  return item;
}

function readItem(chunk: ShownChunk): Item {
  const isNoise = noiseShare(chunk.text) > NOISE_MIN;
  const heading = [chunk.title, ...chunk.headings].join(". ");
  const all = terms(`${heading} ${chunk.text}`);
  const counts = new Map<string, number>();
  for (const term of all) counts.set(term, (counts.get(term) ?? 0) + 1);
  const found = new Map<string, { text: string; parts: string[]; company: Set<string> }>();
  const add = (text: string, company: readonly string[]): void => {
    const parts = terms(text);
    const key = parts.join(" ");
    if (key === "" || (found.size >= NAMES_PER_CHUNK_MAX && !found.has(key))) return;
    const entry = found.get(key) ?? { text, parts, company: new Set<string>() };
    for (const word of company) entry.company.add(word);
    found.set(key, entry);
  };
  add(chunk.title, all);
  const titleParts = terms(chunk.title);
  const titleKey = titleParts.join(" ");
  const units: Unit[] = [];
  for (const sentence of isNoise ? [] : sentences(prose(chunk.text))) {
    const company = terms(sentence);
    const unit = new Set<string>(titleKey === "" ? [] : [titleKey]);
    for (const name of names(sentence)) {
      add(name.text, company);
      const key = terms(name.text).join(" ");
      if (found.has(key)) unit.add(key);
    }
    units.push({ terms: new Set([...titleParts, ...company]), names: unit });
  }
  if (all.length <= SHORT_TERMS && !isNoise)
    units.splice(0, units.length, { terms: new Set(all), names: new Set(found.keys()) });
  return {
    chunk,
    counts,
    length: all.length,
    titleParts,
    titleKey,
    names: found,
    units,
    common: commonWords(chunk.text),
    isNoise,
  };
}
