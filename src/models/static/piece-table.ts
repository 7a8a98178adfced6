const CONTINUATION = "##";
const NOT_FOUND = -1;
/** FNV-1a over UTF-16 units: the hash of a prefix grows into that of the whole. */
const HASH_START = 0x811c9dc5 | 0;
const HASH_START_CONTINUED = 0x1b873593;
const HASH_FACTOR = 0x01000193;
const UPPER_A = 0x41;
const UPPER_Z = 0x5a;
const TO_LOWER = 0x20;
const LINE_FEED = 0x0a;

interface Index {
  /** Where each token's piece starts and ends in the vocabulary's text. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly hashes: Int32Array;
  /** Open addressing: token + 1, or 0 for a free slot. */
  readonly slots: Int32Array;
  /** Length of the longest piece. */
  readonly unitsMax: number;
}

/**
 * Finds pieces of a vocabulary at a place of a text, ASCII letters in either case, without cutting strings out of it.
 * A piece either starts a word or continues one (`##…` in the vocabulary); the two never answer for each other.
 */
export class PieceTable {
  /** How many tokens the vocabulary has. */
  readonly size: number;
  readonly #text: string;
  readonly #index: Index;
  readonly #mask: number;

  /** `vocabulary` has one token a line. */
  constructor(vocabulary: string) {
    this.#text = vocabulary;
    this.size = countLines(vocabulary);
    this.#index = indexLines(vocabulary, this.size);
    this.#mask = this.#index.slots.length - 1;
  }

  /** The token of a vocabulary line, for messages and tests. */
  token(id: number): string {
    return this.#text.slice(id === 0 ? 0 : (this.#index.ends[id - 1] ?? 0) + 1, this.#index.ends[id]);
  }

  /**
   * Appends the ids of the word `text.slice(start, end)`: the longest piece that starts it, then the longest that
   * continues it, and so on. False, and nothing appended, when some part of it has no piece.
   */
  spell(text: string, start: number, end: number, ids: number[]): boolean {
    const before = ids.length;
    for (let from = start; from < end; ) {
      const longest = this.#longest(text, from, end, from > start);
      if (longest === NOT_FOUND) {
        ids.length = before;
        return false;
      }
      ids.push(longest);
      from += (this.#index.ends[longest] ?? 0) - (this.#index.starts[longest] ?? 0);
    }
    return true;
  }

  /** Most words are pieces whole, so the whole is tried first; its prefixes' hashes come along for those that are not. */
  #longest(text: string, start: number, end: number, continued: boolean): number {
    const limit = Math.min(end, start + this.#index.unitsMax);
    const first = continued ? HASH_START_CONTINUED : HASH_START;
    let hash = first;
    for (let at = start; at < limit; at++) hash = Math.imul(hash ^ lowerUnit(text, at), HASH_FACTOR);
    const whole = this.#find(text, start, limit, hash, continued);
    if (whole !== NOT_FOUND) return whole;
    let found = NOT_FOUND;
    hash = first;
    for (let at = start; at < limit - 1; at++) {
      hash = Math.imul(hash ^ lowerUnit(text, at), HASH_FACTOR);
      const token = this.#find(text, start, at + 1, hash, continued);
      if (token !== NOT_FOUND) found = token;
    }
    return found;
  }

  #find(text: string, start: number, end: number, hash: number, continued: boolean): number {
    for (let slot = slotOf(hash, this.#mask); ; slot = (slot + 1) & this.#mask) {
      const token = (this.#index.slots[slot] ?? 0) - 1;
      if (token === NOT_FOUND) return NOT_FOUND;
      if (this.#index.hashes[token] === hash && this.#isPiece(token, text, start, end, continued)) return token;
    }
  }

  #isPiece(token: number, text: string, start: number, end: number, continued: boolean): boolean {
    const from = this.#index.starts[token] ?? 0;
    if ((this.#index.ends[token] ?? 0) - from !== end - start) return false;
    const startsLine = from === 0 || this.#text.charCodeAt(from - 1) === LINE_FEED;
    if (startsLine === continued) return false;
    for (let at = start; at < end; at++) {
      if (lowerUnit(text, at) !== this.#text.charCodeAt(from + at - start)) return false;
    }
    return true;
  }
}

function countLines(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at !== NOT_FOUND; at = text.indexOf("\n", at + 1)) lines++;
  return lines;
}

/** One function with local variables, which runs once: the engine compiles it while it runs. */
function indexLines(text: string, size: number): Index {
  const starts = new Int32Array(size);
  const ends = new Int32Array(size);
  const hashes = new Int32Array(size);
  // At most a quarter full: most looks for a piece that does not exist end at the first slot.
  const slots = new Int32Array(2 ** Math.ceil(Math.log2(size * 4)));
  const mask = slots.length - 1;
  let unitsMax = 0;
  for (let token = 0, line = 0; token < size; token++) {
    const found = text.indexOf("\n", line);
    const end = found === NOT_FOUND ? text.length : found;
    const continued = end - line > CONTINUATION.length && text.startsWith(CONTINUATION, line);
    const start = continued ? line + CONTINUATION.length : line;
    let hash = continued ? HASH_START_CONTINUED : HASH_START;
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), HASH_FACTOR);
    starts[token] = start;
    ends[token] = end;
    hashes[token] = hash;
    if (end - start > unitsMax) unitsMax = end - start;
    let slot = slotOf(hash, mask);
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = token + 1;
    line = end + 1;
  }
  return { starts, ends, hashes, slots, unitsMax };
}

function slotOf(hash: number, mask: number): number {
  return (hash ^ (hash >>> 15)) & mask;
}

function lowerUnit(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  return unit >= UPPER_A && unit <= UPPER_Z ? unit + TO_LOWER : unit;
}
