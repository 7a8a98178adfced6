import type {
  EditEvent,
  RankedPlace,
  RecordEvent,
  RecordedChunk,
  RecordedDocument,
  ToolResultEvent,
} from "../record/events.ts";
import { RRF_K } from "../retrieval/find/fuse.ts";
import { documentKeyOf } from "./context/id-book.ts";
import { foldDuplicates } from "./fold-duplicates.ts";

interface SeenDocument {
  readonly corpus: string;
  readonly id: string;
  score: number;
  /** Chunk keys with the fused score of each. */
  readonly chunks: Map<string, number>;
}

/**
 * What a run has seen, folded from its record: every document shown, scored by reciprocal rank fusion over the run's
 * queries (a document's rank in a result is the rank of its first chunk), and which of its chunks are pruned.
 */
export class Trajectory {
  readonly #documents = new Map<string, SeenDocument>();
  readonly #chunks = new Map<string, RecordedChunk>();
  /** Documents of the question's ranking; unread ones can be listed, and count as seen by nobody. */
  readonly #ranked = new Map<string, RankedPlace>();
  readonly #pruned = new Set<string>();
  readonly #everPruned = new Set<string>();

  apply(event: RecordEvent): void {
    if (event.type === "ranking") {
      for (const entry of event.entries) this.#ranked.set(documentKeyOf(entry), entry);
    } else if (event.type === "tool_result") this.#applyResult(event);
    else if (event.type === "edit") this.#applyEdit(event);
  }

  #applyResult(event: ToolResultEvent): void {
    for (const chunk of event.chunks) this.#chunks.set(chunk.key, chunk);
    const ranks = new Map<string, number>();
    for (const { key } of event.hits) {
      this.#pruned.delete(key);
      const chunk = this.#chunks.get(key);
      if (chunk === undefined) continue;
      const documentKey = documentKeyOf(chunk);
      let seen = this.#documents.get(documentKey);
      if (seen === undefined) {
        seen = { corpus: chunk.corpus, id: chunk.documentId, score: 0, chunks: new Map() };
        this.#documents.set(documentKey, seen);
      }
      const first = !ranks.has(documentKey);
      if (first) ranks.set(documentKey, ranks.size + 1);
      const gain = 1 / (RRF_K + (ranks.get(documentKey) ?? 1));
      if (first) seen.score += gain;
      seen.chunks.set(key, (seen.chunks.get(key) ?? 0) + gain);
    }
  }

  #applyEdit(event: EditEvent): void {
    for (const key of event.pruned) {
      this.#pruned.add(key);
      this.#everPruned.add(key);
    }
  }

  /** Documents in order of their first appearance, by id. */
  seenDocuments(): string[] {
    return [...this.#documents.values()].map((document) => document.id);
  }

  /** Documents of the chunks that were pruned at any time. */
  prunedDocuments(): string[] {
    const ids = [...this.#everPruned].map((key) => this.#chunks.get(key)?.documentId);
    return [...new Set(ids.filter((id): id is string => id !== undefined))];
  }

  get prunedChunks(): number {
    return this.#everPruned.size;
  }

  get shownChunks(): number {
    return this.#chunks.size;
  }

  chunk(key: string): RecordedChunk | undefined {
    return this.#chunks.get(key);
  }

  /** The entry of a document for a result list; `first` names a chunk to put in front. */
  entry(documentKey: string, justification: string, first?: string): RecordedDocument | undefined {
    const seen = this.#documents.get(documentKey);
    if (seen === undefined) {
      const ranked = this.#ranked.get(documentKey);
      if (ranked === undefined) return undefined;
      const { corpus, documentId, key } = ranked;
      return { corpus, id: documentId, score: 0, justification, chunks: [key], pruned: false };
    }
    const byScore = [...seen.chunks].sort((a, b) => b[1] - a[1]).map(([key]) => key);
    const kept = byScore.filter((key) => !this.#pruned.has(key));
    const rest = byScore.filter((key) => this.#pruned.has(key));
    const ordered = [...kept, ...rest];
    const chunks = first === undefined ? ordered : [first, ...ordered.filter((key) => key !== first)];
    return { corpus: seen.corpus, id: seen.id, score: seen.score, justification, chunks, pruned: kept.length === 0 };
  }

  /** All that was shown: kept documents before pruned ones, by fused score, ties by id. */
  seen(): RecordedDocument[] {
    return [...this.#documents.keys()]
      .map((key) => this.entry(key, ""))
      .filter((entry): entry is RecordedDocument => entry !== undefined)
      .sort((a, b) => Number(a.pruned) - Number(b.pruned) || b.score - a.score || (a.id < b.id ? -1 : 1));
  }

  /** A list made from the record alone, near-duplicates folded. */
  ranked(documentsMax: number): RecordedDocument[] {
    return foldDuplicates(this.seen(), [], (key) => this.#chunks.get(key), documentsMax);
  }
}
