/** Words of a shingle: a run that two texts share by chance only in set phrases. */
const SHINGLE_WORDS = 5;
/** Share of shingles that near-duplicates have in common (docs/decisions/near-duplicates.md). */
const SHARED_MIN = 0.9;
/** Share of one text's shingles that have to stand in the other where one may be longer: a word here and there is less. */
const CONTAINED_MIN = 0.95;
/** Shingles up to which a text is short: a heading more or less weighs a lot there, so what counts is containment. */
const SHORT_SHINGLES = 50;
/** How much shorter the shorter one of two short texts may be. */
const SHORT_RATIO_MIN = 0.75;
/** Chunks by which two documents that are known in part may differ, as a share of the longer one, and at least one. */
const CHUNKS_APART_SHARE = 0.2;
/** Numbers that one text may have beyond the other's: the year of a footer. */
const NUMBERS_BEYOND_MAX = 1;

/** A document as far as it is at hand. */
export interface ComparedDocument {
  readonly title: string;
  /** Its passages, best first; all of it, in order, where `isWhole`. */
  readonly passages: readonly string[];
  readonly isWhole: boolean;
  /** How many chunks the document has. */
  readonly chunks: number;
}

/** What a document is compared by. Its shingles are hashes of 32 bits: few enough are compared for them not to collide. */
export class Fingerprint {
  readonly isWhole: boolean;
  readonly chunks: number;
  /** Shingles of all passages, and of the first one. */
  readonly all: ReadonlySet<number>;
  readonly best: ReadonlySet<number>;
  readonly #title: string;
  readonly #plain: readonly string[];
  #numbers: ReadonlySet<string> | undefined;
  #words: ReadonlySet<string> | undefined;

  constructor({ title, passages, isWhole, chunks }: ComparedDocument) {
    this.isWhole = isWhole;
    this.chunks = chunks;
    this.#title = title;
    this.#plain = passages.map(plainText);
    const parts = this.#plain.map(shinglesOf);
    this.best = parts[0] ?? new Set();
    if (passages.length <= 1) this.all = this.best;
    else this.all = isWhole ? shinglesOf(this.#plain.join("")) : new Set(parts.flatMap((part) => [...part]));
  }

  /** Numbers of all passages: what tells two versions of a text apart. Read when two are alike. */
  get numbers(): ReadonlySet<string> {
    this.#numbers ??= new Set(this.#plain.flatMap(numbersOf));
    return this.#numbers;
  }

  get bestNumbers(): readonly string[] {
    return numbersOf(this.#plain[0] ?? "");
  }

  get titleWords(): readonly string[] {
    return wordsOf(this.#title);
  }

  get words(): ReadonlySet<string> {
    this.#words ??= new Set([this.#title, ...this.#plain].flatMap(wordsOf));
    return this.#words;
  }
}

/** Reads a document once, so that it can be compared with many. Linear in its length. */
export function fingerprint(document: ComparedDocument): Fingerprint {
  return new Fingerprint(document);
}

/**
 * Whether two documents say the same in the same words, markup aside: of documents that are at hand as a whole, five words
 * in a row are compared over all of the text; of others, over their best passages, or the best passage of each must stand
 * in the other. Texts that
 * differ in their numbers, or whose titles each name something that the other never mentions, are not the same, however
 * much of the wording they share. Symmetric.
 */
export function areNearDuplicates(a: Fingerprint, b: Fingerprint): boolean {
  if (namesApart(a, b)) return false;
  if (a.isWhole && b.isWhole) return numbersAgree(a.numbers, b.numbers) && wholesAgree(a.all, b.all);
  const apart = Math.abs(a.chunks - b.chunks);
  if (apart > Math.max(1, CHUNKS_APART_SHARE * Math.max(a.chunks, b.chunks))) return false;
  const isBestAlike = wholesAgree(a.best, b.best) && numbersAgree(new Set(a.bestNumbers), new Set(b.bestNumbers));
  return isBestAlike || (standsIn(a, b) && standsIn(b, a));
}

/** Whether it is worth the while to look at all of two documents: the best passage of one stands in the other. */
export function mayBeNearDuplicates(a: Fingerprint, b: Fingerprint): boolean {
  return sharedShare(a.best, b.all) >= SHARED_MIN || sharedShare(b.best, a.all) >= SHARED_MIN;
}

function wholesAgree(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a];
  const shared = countShared(small, large);
  if (shared === 0) return false;
  if (small.size <= SHORT_SHINGLES && small.size >= SHORT_RATIO_MIN * large.size) {
    return shared >= CONTAINED_MIN * small.size;
  }
  return shared >= SHARED_MIN * (small.size + large.size - shared);
}

function standsIn(a: Fingerprint, b: Fingerprint): boolean {
  return sharedShare(a.best, b.all) >= CONTAINED_MIN && a.bestNumbers.every((number) => b.numbers.has(number));
}

function sharedShare(part: ReadonlySet<number>, whole: ReadonlySet<number>): number {
  return part.size === 0 ? 0 : countShared(part, whole) / part.size;
}

function countShared<Value>(a: ReadonlySet<Value>, b: ReadonlySet<Value>): number {
  let count = 0;
  for (const one of a) if (b.has(one)) count++;
  return count;
}

function numbersAgree(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  const shared = countShared(a, b);
  const [beyondA, beyondB] = [b.size - shared, a.size - shared];
  return Math.min(beyondA, beyondB) === 0 && Math.max(beyondA, beyondB) <= NUMBERS_BEYOND_MAX;
}

function namesApart(a: Fingerprint, b: Fingerprint): boolean {
  const isForeign = (words: readonly string[], other: Fingerprint): boolean =>
    words.some((word) => !other.words.has(word));
  return isForeign(a.titleWords, b) && isForeign(b.titleWords, a);
}

/** Without what only one format of a text has: front matter, link targets, tags, fences, addresses. */
function plainText(text: string): string {
  return text
    .replace(/^---\n[\s\S]{0,4000}?\n---\n/u, "")
    .replace(/\]\([^)\n]{0,500}\)/gu, "] ")
    .replace(/<\/?[a-z][^<>]{0,300}>/giu, " ")
    .replace(/^[ \t]*(?:`{3,}|~{3,}).*$/gmu, "")
    .replace(/https?:\/\/\S{1,500}/gu, " ");
}

/** A text of fewer words is one shingle. */
function shinglesOf(plain: string): ReadonlySet<number> {
  const words = wordsOf(plain).map(hashOf);
  const found = new Set<number>();
  for (let i = 0; i + SHINGLE_WORDS <= words.length; i++) found.add(joined(words, i, i + SHINGLE_WORDS));
  if (found.size === 0 && words.length > 0) found.add(joined(words, 0, words.length));
  return found;
}

function joined(hashes: readonly number[], from: number, to: number): number {
  let hash = 17;
  for (let i = from; i < to; i++) {
    hash = Math.imul(hash ^ (hashes[i] ?? 0), 2_654_435_761);
    hash ^= hash >>> 15;
  }
  return hash;
}

/** FNV-1a. */
function hashOf(word: string): number {
  let hash = 2_166_136_261;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 16_777_619);
  return hash;
}

function numbersOf(plain: string): string[] {
  return plain.match(/\d+(?:[.,:/-]\d+)*/gu) ?? [];
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
