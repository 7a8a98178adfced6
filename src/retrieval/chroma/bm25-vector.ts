import { stem } from "porter2";

/** A vector that names its places other than zero, in rising order. */
export interface SparseVector {
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/** As a collection's schema says them; what it leaves out is Chroma's default. */
export interface Bm25Options {
  readonly k?: number | undefined;
  readonly b?: number | undefined;
  readonly averageTokens?: number | undefined;
  /** Characters of a token; longer ones are left out. */
  readonly tokenCharactersMax?: number | undefined;
  readonly stopWords?: readonly string[] | undefined;
}

const K = 1.2;
const B = 0.75;
const AVERAGE_TOKENS = 256;
const TOKEN_CHARACTERS_MAX = 40;
/** What Python's \w is: the apostrophe parts words, so that most contractions below are never met. */
const TOKEN = /[\p{L}\p{N}_]+/gu;

/** The words that Chroma leaves out. */
const STOP_WORDS: readonly string[] = (
  "a about above after again against ain all am an and any are aren aren't as at be because been before being below " +
  "between both but by can couldn couldn't d did didn didn't do does doesn doesn't doing don don't down during each " +
  "few for from further had hadn hadn't has hasn hasn't have haven haven't having he her here hers herself him " +
  "himself his how i if in into is isn isn't it it's its itself just ll m ma me mightn mightn't more most mustn " +
  "mustn't my myself needn needn't no nor not now o of off on once only or other our ours ourselves out over own re " +
  "s same shan shan't she she's should should've shouldn shouldn't so some such t than that that'll the their theirs " +
  "them themselves then there these they this those through to too under until up ve very was wasn wasn't we were " +
  "weren weren't what when where which while who whom why will with won won't wouldn wouldn't y you you'd you'll " +
  "you're you've your yours yourself yourselves"
).split(" ");

/**
 * What Chroma's embedding function `chroma_bm25` makes of a text, number for number: stems of its words, hashed, with
 * their saturated counts. How rare a word is stands in the index, not here. Empty where no word is left.
 */
export function bm25Vector(text: string, options: Bm25Options = {}): SparseVector {
  const { k = K, b = B, averageTokens = AVERAGE_TOKENS } = options;
  const tokens = tokensOf(text, options);
  const counts = new Map<number, number>();
  for (const token of tokens) {
    const place = Math.abs(murmur3(token));
    counts.set(place, (counts.get(place) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([one], [other]) => one - other);
  return {
    indices: sorted.map(([place]) => place),
    values: sorted.map(([, count]) => (count * (k + 1)) / (count + k * (1 - b + (b * tokens.length) / averageTokens))),
  };
}

function tokensOf(text: string, options: Bm25Options): readonly string[] {
  const { tokenCharactersMax = TOKEN_CHARACTERS_MAX, stopWords = STOP_WORDS } = options;
  const stops = new Set(stopWords.map((word) => word.toLowerCase()));
  return (text.match(TOKEN) ?? []).flatMap((word) => {
    const token = word.toLowerCase();
    return stops.has(token) || [...token].length > tokenCharactersMax ? [] : [stem(token)];
  });
}

/** MurmurHash3 for 32 bits with seed 0, of the text in UTF-8, as a signed number. */
function murmur3(text: string): number {
  const bytes = new TextEncoder().encode(text);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rest = bytes.length % 4;
  let hash = 0;
  for (let at = 0; at < bytes.length - rest; at += 4) {
    hash = Math.imul(rotated(hash ^ scrambled(view.getInt32(at, true)), 13), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let at = bytes.length - 1; at >= bytes.length - rest; at--) tail = (tail << 8) | (bytes[at] ?? 0);
  hash ^= scrambled(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function scrambled(word: number): number {
  return Math.imul(rotated(Math.imul(word, 0xcc9e2d51), 15), 0x1b873593);
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
