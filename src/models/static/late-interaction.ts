import type { Artefact } from "./artefact.ts";
import type { WordPieceTokenizer } from "./word-piece.ts";

/** Pieces of one passage that are read. */
const PASSAGE_PIECES_MAX = 1_200;
/** Pieces of a query that are read; the first ones of a long text say what it is about. */
const QUERY_PIECES_MAX = 256;
/**
 * The heaviest pieces of a query count, so many: on questions of 25 words and more all of them found no better than these
 * (docs/decisions/hybrid-search.md), and the work grows with each.
 */
const QUERY_PIECES_COUNTED = 24;
/** Half of a window, pieces. Windows overlap by half: 96 pieces are about 70 words, a paragraph. */
const HALF_WINDOW = 48;

/**
 * Late interaction over static token vectors: for every piece of the query its greatest cosine in the best window of the
 * passage, summed with weights (MaxSim of ColBERT, Khattab and Zaharia, SIGIR 2020; the window keeps a long passage from
 * winning by holding one word here and another there). A piece weighs what the embedder gives it, times its inverse
 * frequency among the passages. Scores are between -1 and 1; 0 for all where the query has no known piece.
 */
export function scoreByInteraction(
  artefact: Artefact,
  tokenizer: WordPieceTokenizer,
  query: string,
  passages: readonly string[],
): number[] {
  const vectors = new UnitVectors(artefact);
  const known = [...new Set(tokenizer.encode(query, QUERY_PIECES_MAX))].filter((piece) => vectors.norm(piece) > 0);
  if (known.length === 0) return passages.map(() => 0);
  const texts = passages.map((text) => tokenizer.encode(text, PASSAGE_PIECES_MAX));
  const weighed = weightsOf(known, texts, vectors)
    .map((weight, i) => ({ piece: known[i] ?? 0, weight }))
    .sort((a, b) => b.weight - a.weight)
    .slice(0, QUERY_PIECES_COUNTED);
  const pieces = weighed.map(({ piece }) => piece);
  const weights = weighed.map(({ weight }) => weight);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const similar = new Similarities(pieces, artefact, vectors);
  return texts.map((text) => (total > 0 ? bestWindow(text, weights, similar) / total : 0));
}

/** Norm of each query piece times its Robertson-Sparck Jones weight among the passages. */
function weightsOf(pieces: readonly number[], texts: readonly (readonly number[])[], vectors: UnitVectors): number[] {
  const frequencies = new Map(pieces.map((piece) => [piece, 0]));
  for (const text of texts) {
    for (const piece of new Set(text)) {
      const known = frequencies.get(piece);
      if (known !== undefined) frequencies.set(piece, known + 1);
    }
  }
  return pieces.map((piece) => {
    const frequency = frequencies.get(piece) ?? 0;
    return vectors.norm(piece) * Math.log(1 + (texts.length - frequency + 0.5) / (frequency + 0.5));
  });
}

/** The largest weighted sum of greatest similarities in any two neighbouring half windows. */
function bestWindow(text: readonly number[], weights: readonly number[], similar: Similarities): number {
  const count = weights.length;
  let best = Number.NEGATIVE_INFINITY;
  let before: Float64Array | undefined;
  for (let from = 0; from < text.length || from === 0; from += HALF_WINDOW) {
    const half = new Float64Array(count).fill(-1);
    const end = Math.min(text.length, from + HALF_WINDOW);
    for (let at = from; at < end; at++) {
      const row = similar.of(text[at] ?? 0);
      if (row === undefined) continue;
      for (let i = 0; i < count; i++) {
        const value = row[i] ?? -1;
        if (value > (half[i] ?? -1)) half[i] = value;
      }
    }
    // The first half alone is a window only where there is no second one.
    if (before !== undefined || text.length <= HALF_WINDOW) {
      let sum = 0;
      for (let i = 0; i < count; i++) sum += (weights[i] ?? 0) * Math.max(half[i] ?? -1, before?.[i] ?? -1);
      best = Math.max(best, sum);
    }
    before = half;
  }
  return best;
}

/** Cosines of every query piece with a piece of a passage, computed once for each distinct piece. */
class Similarities {
  readonly #count: number;
  readonly #artefact: Artefact;
  readonly #vectors: UnitVectors;
  /** The query's vectors one behind the other, each of length 1. */
  readonly #query: Float32Array;
  readonly #rows = new Map<number, Float32Array | undefined>();

  constructor(pieces: readonly number[], artefact: Artefact, vectors: UnitVectors) {
    const { dimension } = artefact.header;
    this.#count = pieces.length;
    this.#artefact = artefact;
    this.#vectors = vectors;
    this.#query = new Float32Array(pieces.length * dimension);
    for (const [i, piece] of pieces.entries()) {
      const length = vectors.length(piece);
      const row = artefact.vectors.subarray(piece * dimension, (piece + 1) * dimension);
      for (let at = 0; at < dimension; at++) this.#query[i * dimension + at] = (row[at] ?? 0) / length;
    }
  }

  /** Undefined for a piece that has no vector. */
  of(piece: number): Float32Array | undefined {
    const known = this.#rows.get(piece);
    if (known !== undefined || this.#rows.has(piece)) return known;
    const row = this.#vectors.norm(piece) > 0 ? this.#cosines(piece) : undefined;
    this.#rows.set(piece, row);
    return row;
  }

  /** The inner loop of a search: indices are in range, and four sums at a time take half the time of one. */
  #cosines(piece: number): Float32Array {
    const { dimension } = this.#artefact.header;
    const { vectors } = this.#artefact;
    const query = this.#query;
    const row = piece * dimension;
    const length = this.#vectors.length(piece);
    const cosines = new Float32Array(this.#count);
    for (let i = 0; i < this.#count; i++) {
      const own = i * dimension;
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let at = 0; at < dimension; at += 4) {
        a += (query[own + at] as number) * (vectors[row + at] as number);
        b += (query[own + at + 1] as number) * (vectors[row + at + 1] as number);
        c += (query[own + at + 2] as number) * (vectors[row + at + 2] as number);
        d += (query[own + at + 3] as number) * (vectors[row + at + 3] as number);
      }
      cosines[i] = (a + b + c + d) / length;
    }
    return cosines;
  }
}

class UnitVectors {
  readonly #artefact: Artefact;
  readonly #lengths = new Map<number, number>();

  constructor(artefact: Artefact) {
    this.#artefact = artefact;
  }

  /** Length of a piece's vector, the weight that the embedder gives it; 0 for unknown pieces. */
  norm(piece: number): number {
    const { header, scales } = this.#artefact;
    return piece === header.unknownToken ? 0 : Math.abs(scales[piece] ?? 0) * this.length(piece);
  }

  /** Length of the stored vector, before its scale. */
  length(piece: number): number {
    const known = this.#lengths.get(piece);
    if (known !== undefined) return known;
    const { header, vectors } = this.#artefact;
    const row = piece * header.dimension;
    let sum = 0;
    for (let i = 0; i < header.dimension; i++) sum += (vectors[row + i] ?? 0) ** 2;
    const length = Math.sqrt(sum);
    this.#lengths.set(piece, length);
    return length;
  }
}
