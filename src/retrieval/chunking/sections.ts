import type { Block, Node, Section, Splitter } from "./node.ts";
import { isBlank, type Span } from "./span.ts";

/** A block as the parser met it; it reaches to the start of the next one. */
export interface FlatNode {
  readonly start: number;
  /** 1 to 6 for a heading. */
  readonly level: number | undefined;
  readonly splitter: Splitter;
  readonly keepWhole: boolean;
}

interface OpenSection {
  readonly level: number;
  readonly heading: Span | undefined;
  readonly start: number;
  readonly children: Node[];
}

/**
 * Nests blocks under their headings; the result tiles the text. What lies before `bodyStart` (front matter) becomes the
 * heading of the root: it is carried along to what follows instead of standing alone.
 *
 * @param nodes Ordered by start.
 */
export function buildSections(text: string, bodyStart: number, nodes: readonly FlatNode[]): Section {
  // The parser makes paragraphs of lines that hold nothing but unusual white space.
  const flat = nodes.filter((node, index) => !isBlank(text, node.start, nodes[index + 1]?.start ?? text.length));
  const root: OpenSection = {
    level: 0,
    heading: bodyStart > 0 ? { start: 0, end: bodyStart } : undefined,
    start: 0,
    children: [],
  };
  const open: OpenSection[] = [root];
  const closeFrom = (level: number, end: number) => {
    for (let last = open.at(-1); last !== undefined && last.level >= level && open.length > 1; last = open.at(-1)) {
      open.pop();
      const { heading, start, children } = last;
      open.at(-1)?.children.push({ type: "section", start, end, heading, children });
    }
  };
  if (flat.length === 0 && bodyStart < text.length) root.children.push(proseBlock(bodyStart, text.length));
  for (const [index, node] of flat.entries()) {
    // Blank lines before the first block, and whatever the parser made no block of, belong to the block before them.
    const start = index === 0 ? bodyStart : node.start;
    const end = flat[index + 1]?.start ?? text.length;
    if (node.level === undefined) {
      open.at(-1)?.children.push({ type: "block", start, end, splitter: node.splitter, keepWhole: node.keepWhole });
      continue;
    }
    closeFrom(node.level, start);
    open.push({ level: node.level, heading: { start, end }, start, children: [] });
  }
  closeFrom(1, text.length);
  return { type: "section", start: 0, end: text.length, heading: root.heading, children: root.children };
}

export function proseBlock(start: number, end: number): Block {
  return { type: "block", start, end, splitter: { kind: "prose", level: "paragraphs" }, keepWhole: false };
}
