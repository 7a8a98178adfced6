import { cutAtWord, plainLine, type Quotable, quotables } from "../core/passages.ts";
import { oneLine } from "../core/text.ts";

/** Longest sentence in a reason, UTF-16 units. */
const SENTENCE_UNITS_MAX = 200;
const TITLE_UNITS_MAX = 80;
const NAME_UNITS_MAX = 60;
/** Text that is looked at; a chunk is shorter, unless it is one that nothing could split. */
const TEXT_UNITS_MAX = 20_000;
/** What a word counts for that stands in the heading above a sentence and not in it; all of it right after a question. */
const HEADING_SHARE = 0.35;
/** What a word counts for that stands in the code below a sentence, or in the head of a row's table. */
const ABOUT_SHARE = 0.4;
/** A heading names what is told below it, and a question what is answered: the words after it are the better reason. */
const NAMING_SHARE = 0.3;
/** What every word of the question counts for at least, as a share of the most telling one. */
const FLOOR_SHARE = 0.25;
/** What the first of all sentences has over the last one with the same words. */
const FIRST_SHARE = 0.06;
/** Words of a sentence that says something and can be taken in at once. */
const WORDS_MIN = 5;
const WORDS_MAX = 45;

/** How the words of a question are told and weighed. */
export interface Asked {
  /** Content words of the question, folded, each once. */
  readonly terms: readonly string[];
  /** How telling one of them is, at least 0: most where few of the passages have it. */
  weight(term: string): number;
  /** The folded words of a text. */
  termsOf(text: string): readonly string[];
}

export interface BestSentence {
  /** On one line, at most 200 units; empty where the text holds no word. */
  readonly text: string;
  /** Share of the question's weight that its words carry, 0 to 1. */
  readonly share: number;
}

/**
 * The sentence of a passage that answers a question best, as far as words tell: the one that covers most of the question's
 * weight, with what its heading says counted in part, neither a stub nor endless, earlier ones first. Of lists and tables
 * it is a line, of code what stands above it. Where no word of the question occurs, it is the first sentence.
 */
export function bestSentence(text: string, headings: readonly string[], asked: Asked): BestSentence {
  const best = bestOf(quotables(text.slice(0, TEXT_UNITS_MAX)), headings, asked);
  return best === undefined
    ? { text: "", share: 0 }
    : { text: shown(best.unit.text, asked, new Set(asked.terms)), share: best.share };
}

/** The best sentence with those that follow it, as long as there is room; empty where the text holds no word. */
export function bestPassage(text: string, headings: readonly string[], asked: Asked, unitsMax: number): string {
  const units = quotables(text.slice(0, TEXT_UNITS_MAX));
  const best = bestOf(units, headings, asked);
  return best === undefined ? "" : passageFrom(units, units.indexOf(best.unit), unitsMax);
}

/** The sentence of a text that a reason tells, with those that follow it; empty where the text does not hold it. */
export function passageOf(text: string, told: string, unitsMax: number): string {
  const wanted = told.replace(/…$/u, "");
  const units = quotables(text.slice(0, TEXT_UNITS_MAX));
  const at = wanted === "" ? -1 : units.findIndex((unit) => unit.text.startsWith(wanted));
  return at < 0 ? "" : passageFrom(units, at, unitsMax);
}

function passageFrom(units: readonly Quotable[], at: number, unitsMax: number): string {
  let passage = "";
  for (const { text } of units.slice(at)) {
    if (passage.length + 1 >= unitsMax) break;
    passage += passage === "" ? text : ` ${text}`;
  }
  return cutAtWord(passage, unitsMax);
}

interface Best {
  readonly unit: Quotable;
  /** Of the question's weight, that which its own words carry. */
  readonly share: number;
}

function bestOf(units: readonly Quotable[], headings: readonly string[], plain: Asked): Best | undefined {
  const asked = withFloor(plain);
  const total = asked.terms.reduce((sum, term) => sum + asked.weight(term), 0);
  const shareOf = (weight: number): number => (total === 0 ? 0 : weight / total);
  const wanted = new Set(asked.terms);
  let above = termsIn(headings.join(". "), asked, wanted);
  let aboveShare = HEADING_SHARE;
  let best: (Best & { readonly score: number }) | undefined;
  for (const [i, unit] of units.entries()) {
    const own = termsIn(unit.about, asked, wanted);
    // A heading right above code stands for that code.
    const isNaming = (unit.kind === "heading" && unit.about === unit.text) || unit.text.endsWith("?");
    const said = termsIn(unit.text, asked, wanted);
    const beside = ABOUT_SHARE * weightOf(without(own, said), asked);
    const covered = weightOf(said, asked) + beside + aboveShare * weightOf(without(above, own), asked);
    const first = 1 + FIRST_SHARE * (1 - i / units.length);
    const score = shareOf(covered) * (isNaming ? NAMING_SHARE : 1) * sizeShare(unit) * first;
    if (best === undefined || score > best.score || (score === 0 && isFirstProse(best.unit, unit))) {
      best = { unit, share: shareOf(weightOf(own, asked)), score };
    }
    if (isNaming || unit.kind === "heading") above = said;
    aboveShare = unit.text.endsWith("?") ? 1 : HEADING_SHARE;
  }
  return best;
}

/** Why a document is in a list: what it says, and for one that another document led to, which one and by what name. */
export interface Reason {
  readonly sentence: string;
  readonly via?: { readonly name: string; readonly title: string };
}

/** The words of a reason, on one line. */
export function reason({ sentence, via }: Reason): string {
  if (via === undefined) return sentence;
  const title = cutAtWord(plainLine(via.title), TITLE_UNITS_MAX);
  const from = title === "" ? "another document" : `«${title}»`;
  const reached = `Reached from ${from} through “${cutAtWord(plainLine(via.name), NAME_UNITS_MAX)}”`;
  return sentence === "" ? `${reached}.` : `${reached}: ${sentence}`;
}

/** Among passages about one thing, the words for it tell passages apart no more, and still make a sentence be about it. */
function withFloor({ terms, weight, termsOf }: Asked): Asked {
  const floor = FLOOR_SHARE * Math.max(0, ...terms.map(weight));
  return { terms, termsOf, weight: (term) => weight(term) + floor };
}

function termsIn(text: string, asked: Asked, wanted: ReadonlySet<string>): Set<string> {
  return new Set(asked.termsOf(text).filter((term) => wanted.has(term)));
}

function weightOf(terms: ReadonlySet<string>, asked: Asked): number {
  return [...terms].reduce((sum, term) => sum + asked.weight(term), 0);
}

function without(terms: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...terms].filter((term) => !others.has(term)));
}

function sizeShare({ text, kind }: Quotable): number {
  const words = text.split(" ").length;
  const least = kind === "sentence" ? 0.5 : kind === "heading" ? 0.2 : 1;
  if (words < WORDS_MIN) return least + ((1 - least) * words) / WORDS_MIN;
  return words <= WORDS_MAX ? 1 : Math.sqrt(WORDS_MAX / words);
}

/** Where nothing tells one from the other, a sentence stands before a heading. */
function isFirstProse(best: Quotable, unit: Quotable): boolean {
  return best.kind === "heading" && unit.kind !== "heading";
}

/** A sentence that is too long is shown from where the question's words begin to stand in it. */
function shown(text: string, asked: Asked, wanted: ReadonlySet<string>): string {
  if (text.length <= SENTENCE_UNITS_MAX) return text;
  const words = text.split(" ");
  const isTold = (word: string): boolean => asked.termsOf(word).some((term) => wanted.has(term));
  const first = words.findIndex(isTold);
  const before = words.slice(0, Math.max(0, first - 3)).join(" ").length;
  if (first < 0 || words.slice(0, first + 1).join(" ").length < SENTENCE_UNITS_MAX / 2) {
    return cutAtWord(text, SENTENCE_UNITS_MAX);
  }
  return `…${cutAtWord(oneLine(text.slice(before), text.length), SENTENCE_UNITS_MAX - 1)}`;
}
