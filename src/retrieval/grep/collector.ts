import { MATCHES_COUNTED_MAX } from "./grep.ts";
import type { SegmentIndex } from "./segment.ts";

/** A segment with its place in the engine's list. */
export interface OpenSegment extends SegmentIndex {
  readonly segmentIndex: number;
}

/** The matches of one document as a driver reports them. */
export interface DocumentMatches {
  readonly documentId: string;
  readonly segment: OpenSegment;
  readonly document: number;
  /** What offsets count: bytes of the exported text, or UTF-16 units of it. */
  readonly unit: "byte" | "utf16";
  /** Start and end of each match, alternating, ascending. */
  readonly bounds: number[];
  /** The driver cannot answer for this document; another engine has to search it again. */
  recheck: boolean;
}

/** Counts matches of accepted, live documents, up to `MATCHES_COUNTED_MAX`. */
export class MatchCollector {
  truncated = false;
  #found: DocumentMatches[] = [];
  #matches = 0;
  #current: DocumentMatches | undefined;
  #refused: { readonly segment: OpenSegment; readonly document: number } | undefined;
  readonly #accept: (documentId: string, segmentIndex: number) => boolean;

  constructor(accept: (documentId: string, segmentIndex: number) => boolean) {
    this.#accept = accept;
  }

  /** Documents with a match, in the order in which they were found. */
  get documents(): readonly DocumentMatches[] {
    return this.#found;
  }

  get matchesTotal(): number {
    return this.#matches;
  }

  /** Whether the document is to be searched at all. */
  accepts(segment: OpenSegment, document: number): boolean {
    return this.#accept(segment.ids[document] ?? "", segment.segmentIndex);
  }

  /** Adds one match; matches of one document come together. Returns false when counting is over. */
  add(
    segment: OpenSegment,
    document: number,
    unit: "byte" | "utf16",
    start: number,
    end: number,
    recheck = false,
  ): boolean {
    const entry = this.#entry(segment, document, unit);
    if (entry === undefined) return true;
    if (this.#matches >= MATCHES_COUNTED_MAX) {
      this.truncated = true;
      return false;
    }
    this.#matches++;
    entry.bounds.push(start, end);
    if (recheck) entry.recheck = true;
    return true;
  }

  /** Replaces the matches of every document that is to be searched again by what `search` finds in it. */
  async recheck(search: (entry: DocumentMatches) => Promise<number[]>): Promise<void> {
    const settled: DocumentMatches[] = [];
    for (const entry of this.#found) {
      const bounds = entry.recheck ? await search(entry) : entry.bounds;
      this.#matches += (bounds.length - entry.bounds.length) / 2;
      if (bounds.length > 0) settled.push(entry.recheck ? { ...entry, unit: "utf16", bounds, recheck: false } : entry);
    }
    this.#found = settled;
  }

  #entry(segment: OpenSegment, document: number, unit: "byte" | "utf16"): DocumentMatches | undefined {
    const is = (other: { segment: OpenSegment; document: number } | undefined) =>
      other !== undefined && other.segment === segment && other.document === document;
    if (is(this.#refused)) return undefined;
    if (is(this.#current)) return this.#current;
    if (!this.accepts(segment, document)) {
      this.#refused = { segment, document };
      return undefined;
    }
    const documentId = segment.ids[document] ?? "";
    this.#current = { documentId, segment, document, unit, bounds: [], recheck: false };
    this.#found.push(this.#current);
    return this.#current;
  }
}
