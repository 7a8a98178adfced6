import type { EntityType, NameBook } from "./names.ts";
import { MENTIONS, RELATIONS } from "./relations.ts";
import {
  ADJECTIVES,
  ADVERBS,
  INTRANSITIVE,
  MONTHS,
  NOUNS,
  NUMBERS,
  ORDINALS,
  PREPOSITIONS,
  TOPICS,
  TRANSITIVE,
} from "./vocabulary.ts";
import { pick, zipf } from "./zipf.ts";

/** Shares of sentences that tell a fact or name somebody, all of it made up on the spot and asked for nowhere. */
const FILLER_FACT_SHARE = 0.04;
const FILLER_MENTION_SHARE = 0.03;
/** Share of nouns that belong to the document's topic. */
const TOPIC_SHARE = 0.45;
/** Share of nouns that hardly any other document has. */
const RARE_SHARE = 0.02;

const nounRank = zipf(NOUNS.length);
const adjectiveRank = zipf(ADJECTIVES.length);
const transitiveRank = zipf(TRANSITIVE.length);
const intransitiveRank = zipf(INTRANSITIVE.length);
const adverbRank = zipf(ADVERBS.length);
const topicRanks = TOPICS.map((topic) => zipf(topic.length));

const RARE_HEADS =
  "bren clav dorn esk fust grim hask jorl keld lunt morv nesk prath quin rusk skarn threll umber".split(" ");
const RARE_TAILS = "ling stone wort fish rake cloth root barrow pin weed gate moss sail horn mould fen".split(" ");
const MENTIONED: readonly EntityType[] = [
  "person",
  "person",
  "town",
  "works",
  "ship",
  "book",
  "school",
  "river",
  "hall",
];

/** Writes sentences about nothing in particular, in the words of one topic. All randomness comes from `random`. */
export class Prose {
  readonly #random: () => number;
  readonly #names: NameBook;
  readonly #topics: readonly number[];

  constructor(random: () => number, names: NameBook) {
    this.#random = random;
    this.#names = names;
    const topic = () => Math.floor(random() * TOPICS.length);
    this.#topics = [topic(), topic()];
  }

  sentence(): string {
    const random = this.#random();
    if (random < FILLER_FACT_SHARE) return this.#fillerFact();
    if (random < FILLER_FACT_SHARE + FILLER_MENTION_SHARE) {
      return this.fill(pick(MENTIONS, this.#random), this.#filler(pick(MENTIONED, this.#random)));
    }
    return capitalized(`${this.#opening()}${this.#clauses()}.`);
  }

  /** A template with its slots filled; the first letter is made a capital. */
  fill(template: string, subject: string, object = ""): string {
    const text = template.replace(/\{(\w+)\}/g, (_, slot: string) => this.#slot(slot, subject, object));
    return capitalized(text.replace(/\b([Aa]) (?=[aeio]|u(?!se|su))/g, "$1n "));
  }

  #slot(slot: string, subject: string, object: string): string {
    if (slot === "s") return subject;
    if (slot === "o") return object;
    if (slot === "year") return this.#year();
    if (slot === "month") return pick(MONTHS, this.#random);
    if (slot === "number") return pick(NUMBERS, this.#random);
    if (slot === "ordinal") return pick(ORDINALS, this.#random);
    return slot === "adjective" ? this.#adjective() : this.#noun();
  }

  #filler(type: EntityType): string {
    return this.#names.filler(type, this.#random).shown;
  }

  #fillerFact(): string {
    const relation = pick(RELATIONS, this.#random);
    const subject = this.#filler(pick(relation.subjects, this.#random));
    return this.fill(pick(relation.state, this.#random), subject, this.#filler(relation.object));
  }

  #clauses(): string {
    const random = this.#random();
    const first = this.#clause();
    if (random < 0.55) return first;
    if (random < 0.75) return `${first}, and ${this.#clause()}`;
    if (random < 0.87) return `${first}, but ${this.#clause()}`;
    if (random < 0.94) return `${first} because ${this.#clause()}`;
    return `${first}; ${this.#clause()}`;
  }

  #opening(): string {
    const random = this.#random();
    if (random < 0.62) return "";
    if (random < 0.72) return `in ${this.#year()} `;
    if (random < 0.78) return `by ${pick(MONTHS, this.#random)} `;
    if (random < 0.84) return `according to ${this.#thing()}, `;
    if (random < 0.92) return `${pick(PREPOSITIONS, this.#random)} ${this.#thing()} `;
    return `for ${pick(NUMBERS, this.#random)} years `;
  }

  #clause(): string {
    const adverb = this.#random() < 0.18 ? `${ADVERBS[adverbRank(this.#random())] ?? ""} ` : "";
    if (this.#random() < 0.7) {
      const verb = TRANSITIVE[transitiveRank(this.#random())] ?? "";
      const place = this.#random() < 0.35 ? ` ${this.#place()}` : "";
      return `${this.#thing()} ${adverb}${verb} ${this.#thing()}${place}`;
    }
    return `${this.#thing()} ${adverb}${INTRANSITIVE[intransitiveRank(this.#random())] ?? ""} ${this.#place()}`;
  }

  #place(): string {
    return `${pick(PREPOSITIONS, this.#random)} ${this.#thing()}`;
  }

  /** A noun with what stands before it. */
  #thing(): string {
    const random = this.#random();
    if (random < 0.3) return `the ${this.#noun()}`;
    if (random < 0.5) return `the ${this.#adjective()} ${this.#noun()}`;
    if (random < 0.62) return withArticle(`${this.#adjective()} ${this.#noun()}`);
    if (random < 0.74) return `the ${this.#noun()} of the ${this.#noun()}`;
    if (random < 0.82) return `${pick(NUMBERS, this.#random)} ${plural(this.#noun())}`;
    if (random < 0.92) return `${pick(QUANTITIES, this.#random)} ${this.#adjective()} ${plural(this.#noun())}`;
    return `${pick(POINTERS, this.#random)} ${this.#noun()}`;
  }

  #noun(): string {
    const random = this.#random();
    if (random < RARE_SHARE) return pick(RARE_HEADS, this.#random) + pick(RARE_TAILS, this.#random);
    if (random >= TOPIC_SHARE) return NOUNS[nounRank(this.#random())] ?? "";
    const topic = this.#topics[this.#random() < 0.75 ? 0 : 1] ?? 0;
    return TOPICS[topic]?.[topicRanks[topic]?.(this.#random()) ?? 0] ?? "";
  }

  #adjective(): string {
    return ADJECTIVES[adjectiveRank(this.#random())] ?? "";
  }

  #year(): string {
    return String(1_640 + Math.floor(this.#random() * 340));
  }
}

const QUANTITIES = ["most", "several", "few", "many", "some", "all"];
const POINTERS = ["this", "that", "another", "each", "every", "his", "her", "their", "no"];

function withArticle(phrase: string): string {
  return /^([aeio]|u(?!se|su))/.test(phrase) ? `an ${phrase}` : `a ${phrase}`;
}

function plural(noun: string): string {
  if (/[^aeiou]y$/.test(noun)) return `${noun.slice(0, -1)}ies`;
  return /(s|x|ch|sh)$/.test(noun) ? `${noun}es` : `${noun}s`;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
