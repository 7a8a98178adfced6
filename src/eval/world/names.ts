import { WinnowError } from "../../core/errors.ts";
import { pick } from "./zipf.ts";

/** Kinds of things that facts are about. */
export type EntityType =
  | "person"
  | "town"
  | "region"
  | "river"
  | "works"
  | "yard"
  | "press"
  | "school"
  | "hall"
  | "ship"
  | "book"
  | "prize";

export interface Entity {
  readonly type: EntityType;
  /** What an answer says. */
  readonly name: string;
  /** The name as it stands in the middle of a sentence, with its article where it has one. */
  readonly shown: string;
}

const list = (text: string): readonly string[] => text.trim().split(/\s+/);

const GIVEN = list(`
  Ada Agnes Albin Alma Anselm Arno Astrid Aurel Basil Beata Bela Berta Bruno Carla Cecil Clara Conrad Cora Cyril Dagny
  Damian Dora Edda Edgar Edwin Elias Elsa Emil Erna Ester Eugen Fabian Felix Flora Franz Frida Georg Gerda Gideon Gisela
  Greta Gustav Hanna Harald Hedda Heiko Helga Henrik Hilda Hugo Ida Ignaz Ilse Imre Inga Irma Ivo Jakob Jana Jonas Judit
  Julius Karin Kaspar Klara Kurt Lars Laszlo Lea Leonie Levin Linus Lotte Lucia Ludwig Magda Malte Marta Matilda Max
  Milan Mina Miriam Moritz Nadia Nils Nora Odo Olga Oskar Otto Paula Petra Quirin Ragnar Rosa Rupert Sabina Selma Sigrid
  Silas Simon Sofia Sven Tabea Thea Theo Tilda Ulla Urban Ursula Vera Viktor Walda Wanda Wenzel Wilma Xaver Yorick Zelda
`);

const ONSETS = list(`
  Al Ar Bal Bar Ber Bir Bol Bor Bran Brel Cal Car Cor Dal Dar Del Dor Drum El Er Fal Far Fen Fir Gal Gar Gel Gor Gren
  Hal Har Hel Hol Hur Il Jar Kal Kel Kir Kor Lam Lar Len Lor Mal Mar Mel Mir Mor Nar Nel Nor Ol Or Pal Par Pel Quar Ral
  Ran Rel Ros Sal Sar Sel Sol Stam Tal Tar Tel Tor Trem Ul Ur Val Var Vel Vor Wal War Wel Wor Yar Zel Zor
`);
const MIDDLES = list(`a e i o u an en in on ar er or al el ol am em im os es ev av ov ad ed id od ick ock ath eth ith`);
const PERSON_ENDINGS = list(`
  ley man sen dorf berg ner vik low den mar ton ric hart win sky per ling stad bach quist feld veld ström ard ett
`);
const TOWN_ENDINGS = list(`
  ford wick mere stead holm by combe haven ley mouth garth minster thorpe ness burgh field gate well bridge hurst
`);
const REGION_ENDINGS = list(`shire mark vale moor land wold weald fell reach march`);
const RIVER_ENDINGS = list(`a e ane ith une ode isk ent ow esk ava ine`);
const WORKS_KINDS = list(`Instruments Mills Foundry Chemicals Glassworks Tanneries Breweries Engines Ceramics Looms`);
const YARD_KINDS = ["Shipyard", "Boatworks", "Drydocks", "Marine Yard"];
const PRESS_KINDS = ["Press", "Books", "Publishing House", "Editions"];
const SCHOOL_KINDS = ["College", "Academy", "Institute", "Grammar School", "Conservatory"];
const HALL_KINDS = ["Museum", "Gallery", "Library", "Memorial Hall"];
const PRIZE_KINDS = ["Medal", "Prize", "Cup", "Fellowship"];

const TITLE_ADJECTIVES = list(`
  Amber Bitter Blue Bold Broken Burning Calm Clever Copper Crimson Distant Drowned Early Eastern Empty Faithful Fearless
  Final Flying Frozen Gentle Gilded Golden Green Grey Hidden Hollow Humble Idle Iron Ivory Jolly Last Leaden Little Lonely
  Lost Lucky Midnight Morning Narrow Nimble Noble Northern Patient Proud Quiet Quick Radiant Red Restless Rising Royal
  Rusty Sacred Salt Scarlet Second Secret Shining Silent Silver Sleeping Slow Solemn Southern Stolen Sunken Swift Tall
  Tender Thirsty Trusty Twisted Ugly Velvet Wandering Watchful Weary Western White Wild Winter Wise Wooden Young
`);
const SHIP_NOUNS = list(`
  Albatross Badger Bittern Buzzard Cormorant Crane Curlew Dolphin Dunlin Eagle Egret Falcon Fulmar Gannet Grebe Gull
  Harrier Heron Ibis Jackdaw Kestrel Kite Lapwing Linnet Marten Merlin Osprey Otter Pelican Petrel Pike Plover Porpoise
  Puffin Raven Salmon Seal Skua Sparrow Starling Stork Swallow Swan Teal Tern Thrush Vulture Walrus Wren
`);
const BOOK_NOUNS = list(`
  Almanac Angle Arcade Atlas Ballad Bargain Carnival Cartographer Chapel Chronicle Compass Corridor Courier Daughter
  Diary Estuary Fable Ferryman Garden Glazier Harbour Hour Inheritance Island Journey Labyrinth Lantern Ledger Legend
  Lighthouse Locksmith Map Meridian Mirror Notebook Oath Orchard Parade Parallel Passage Pilgrim Quarry Quartet Riddle
  Sermon Shepherd Staircase Station Testament Threshold Tide Treatise Verdict Vigil Voyage Watchmaker Weaver Window
`);

/** Where a name comes from: its distinctive part, and how the whole is built around it. */
interface NameParts {
  readonly type: EntityType;
  readonly given: string;
  readonly stem: string;
  readonly kind: string;
}

/** Sounds like a name; about a hundred thousand of them. */
function stemFor(type: EntityType, random: () => number): string {
  const ending = pick(endingsOf(type), random);
  const middle = random() < 0.4 ? "" : pick(MIDDLES, random);
  return pick(ONSETS, random) + middle + ending;
}

function endingsOf(type: EntityType): readonly string[] {
  if (type === "town") return TOWN_ENDINGS;
  if (type === "region") return REGION_ENDINGS;
  return type === "river" ? RIVER_ENDINGS : PERSON_ENDINGS;
}

function kindsOf(type: EntityType): readonly string[] {
  const kinds: Partial<Record<EntityType, readonly string[]>> = {
    works: WORKS_KINDS,
    yard: YARD_KINDS,
    press: PRESS_KINDS,
    school: SCHOOL_KINDS,
    hall: HALL_KINDS,
    prize: PRIZE_KINDS,
    ship: SHIP_NOUNS,
    book: BOOK_NOUNS,
  };
  return kinds[type] ?? [""];
}

const isTitle = (type: EntityType) => type === "ship" || type === "book";

function drawParts(type: EntityType, random: () => number): NameParts {
  const given = type === "person" ? pick(GIVEN, random) : "";
  const stem = isTitle(type) ? pick(TITLE_ADJECTIVES, random) : stemFor(type, random);
  return { type, given, stem, kind: pick(kindsOf(type), random) };
}

function entityOf({ type, given, stem, kind }: NameParts): Entity {
  const name = nameOf(type, given, stem, kind);
  const hasArticle = type === "ship" || type === "river" || type === "prize" || type === "hall";
  return { type, name, shown: hasArticle ? `the ${name}` : name };
}

function nameOf(type: EntityType, given: string, stem: string, kind: string): string {
  if (type === "person") return `${given} ${stem}`;
  if (type === "river") return `River ${stem}`;
  if (type === "book") return `The ${stem} ${kind}`;
  return kind === "" ? stem : `${stem} ${kind}`;
}

/** Another spelling of a stem: one letter inside exchanged for one that sounds like it. */
function misspell(stem: string, random: () => number): string {
  const at = 1 + Math.floor(random() * (stem.length - 2));
  const letter = stem[at] ?? "e";
  const exchanges = "aeiou".includes(letter) ? "aeiou" : "lrnmtdv";
  const other = pick(
    [...exchanges].filter((each) => each !== letter),
    random,
  );
  return stem.slice(0, at) + other + stem.slice(at + 1);
}

/** Tries at a name before the world is too large for the names that there are. */
const ATTEMPTS_MAX = 10_000;

/**
 * Gives out names. Names of the plan are unique, and so are their stems (surnames, place names), except where one is
 * made to resemble another; filler names never use a stem or a name of the plan, so that what a document says of a
 * planned entity is only what was planned.
 */
export class NameBook {
  readonly #names = new Set<string>();
  readonly #stems = new Set<string>();
  readonly #parts = new Map<string, NameParts>();

  /** A name of the plan. */
  fresh(type: EntityType, random: () => number): Entity {
    return this.#give(() => {
      const parts = drawParts(type, random);
      return this.#stems.has(parts.stem) && !isTitle(type) ? undefined : parts;
    });
  }

  /** A name that is easily taken for `entity`'s: same surname or same first name, one letter off, another kind. */
  similarTo(entity: Entity, random: () => number): Entity {
    const parts = this.#parts.get(entity.name);
    if (parts === undefined) throw new WinnowError("internal", `${entity.name} is not a name of the plan.`);
    return this.#give(() => {
      if (isTitle(parts.type)) return { ...parts, stem: pick(TITLE_ADJECTIVES, random) };
      if (parts.type === "person" && random() < 0.5) return { ...parts, given: pick(GIVEN, random) };
      const kinds = kindsOf(parts.type);
      if (kinds.length > 1 && random() < 0.5) return { ...parts, kind: pick(kinds, random) };
      const stem = misspell(parts.stem, random);
      return this.#stems.has(stem) ? undefined : { ...parts, stem };
    });
  }

  /** A name outside the plan; it may come more than once. Call it when the plan is made. */
  filler(type: EntityType, random: () => number): Entity {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const parts = drawParts(type, random);
      const entity = entityOf(parts);
      if (!this.#names.has(entity.name) && (isTitle(type) || !this.#stems.has(parts.stem))) return entity;
    }
    throw tooFew();
  }

  #give(draw: () => NameParts | undefined): Entity {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      const parts = draw();
      if (parts === undefined) continue;
      const entity = entityOf(parts);
      if (this.#names.has(entity.name)) continue;
      this.#names.add(entity.name);
      if (!isTitle(parts.type)) this.#stems.add(parts.stem);
      this.#parts.set(entity.name, parts);
      return entity;
    }
    throw tooFew();
  }
}

function tooFew(): WinnowError {
  return new WinnowError("limit_exceeded", "There are not enough names for a world with so many questions.", {
    hint: "Ask for fewer questions.",
  });
}
