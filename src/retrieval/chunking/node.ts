import type { Span } from "./span.ts";

/** How a stretch is split when it is too large. */
export type Splitter =
  | { readonly kind: "prose"; readonly level: "paragraphs" | "sentences" | "words" }
  | { readonly kind: "code"; readonly depth: number }
  | { readonly kind: "lines" }
  /** At given offsets, ascending (the items of a list), then as prose. */
  | { readonly kind: "cuts"; readonly cuts: readonly number[] };

export const PROSE: Splitter = { kind: "prose", level: "paragraphs" };

/** Something that stays in one chunk if it fits: a paragraph, a list item, a fence, a function. */
export interface Block extends Span {
  readonly type: "block";
  readonly splitter: Splitter;
  /** Kept in one piece up to `wholeBlockTokens` instead of the target. */
  readonly keepWhole: boolean;
}

/** A heading with all that stands below it, headings of lower rank included. Children tile it. */
export interface Section extends Span {
  readonly type: "section";
  /** The heading's own lines, which a chunk does not end with; front matter for the root, if there is any. */
  readonly heading: Span | undefined;
  readonly children: readonly Node[];
}

export type Node = Block | Section;

/** A heading as met in the document, for the paths of the chunks. */
export interface Heading {
  /** Offset of its first sign. */
  readonly start: number;
  /** 1 to 6. */
  readonly level: number;
  readonly text: string;
}

export interface Structure {
  readonly root: Section;
  /** In order. */
  readonly headings: readonly Heading[];
}
