import type { Block, Splitter } from "./node.ts";
import { PROSE } from "./node.ts";
import { type Span, tile } from "./span.ts";
import { CODE_DEPTH_MAX, splitCode, splitLines } from "./split-code.ts";
import { splitParagraphs, splitSentences, splitWords } from "./split-prose.ts";

/**
 * The parts of a block that is too large, at the next finer structure that it has. At least two, each smaller than the
 * block, unless the block is a single code point.
 *
 * @param unitsMax Size of the pieces where there is no structure left.
 */
export function splitBlock(text: string, block: Block, unitsMax: number): Block[] {
  let splitter: Splitter | undefined = block.splitter;
  while (splitter !== undefined) {
    const parts = splitBy(text, block, splitter);
    if (parts.length > 1) {
      const inner = innerSplitter(splitter);
      return parts.map((part) => toBlock(part, inner));
    }
    splitter = nextFiner(splitter);
  }
  const half = Math.ceil((block.end - block.start) / 2);
  const words = splitWords(text, block, Math.max(1, Math.min(unitsMax, half)));
  return words.map((part) => toBlock(part, WORDS));
}

function toBlock({ start, end }: Span, splitter: Splitter): Block {
  return { type: "block", start, end, splitter, keepWhole: false };
}

const SENTENCES: Splitter = { kind: "prose", level: "sentences" };
const WORDS: Splitter = { kind: "prose", level: "words" };

function splitBy(text: string, span: Span, splitter: Splitter): Span[] {
  switch (splitter.kind) {
    case "cuts":
      return tile(text, span, splitter.cuts);
    case "code":
      return splitter.depth < CODE_DEPTH_MAX ? splitCode(text, span) : [];
    case "lines":
      return splitLines(text, span);
    case "prose":
      if (splitter.level === "paragraphs") return splitParagraphs(text, span);
      return splitter.level === "sentences" ? splitSentences(text, span) : [];
  }
}

/** How the parts that a splitter gave are split further. */
function innerSplitter(splitter: Splitter): Splitter {
  if (splitter.kind === "code") return { kind: "code", depth: splitter.depth + 1 };
  if (splitter.kind === "cuts") return PROSE;
  return splitter.kind === "lines" ? WORDS : SENTENCES;
}

/** What to try when a splitter found nothing to cut at; undefined where only words are left. */
function nextFiner(splitter: Splitter): Splitter | undefined {
  if (splitter.kind === "code") return { kind: "lines" };
  if (splitter.kind === "cuts") return PROSE;
  return splitter.kind === "prose" && splitter.level === "paragraphs" ? SENTENCES : undefined;
}
