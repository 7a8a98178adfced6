import { lineNumbers } from "../../core/text.ts";
import type { TokenCounter } from "../../core/token-counter.ts";
import type { Chunk, SourceDocument, TextFormat } from "../../core/types.ts";
import { type ChunkLimits, chunkLimits } from "./limits.ts";
import { markdownStructure } from "./markdown-structure.ts";
import { Measure, type Piece } from "./measure.ts";
import { type Block, type Heading, PROSE, type Structure } from "./node.ts";
import { absorbTiny, Packer } from "./pack.ts";
import { isBlank, type Span } from "./span.ts";

export interface ChunkOptions {
  readonly counter: TokenCounter;
  /** Tokens that a chunk is gathered up to, 32 to 8,192. Default 512. */
  readonly targetTokens?: number;
}

/**
 * Splits a document into chunks that tile its text, at its structure: headings, then paragraphs or list items, then
 * sentences; code at blank lines before the outermost lines; fences and tables whole up to 1.5 times the target. A
 * heading stays with what follows it; small neighbours are joined. No chunk has more than twice the target in tokens.
 * Deterministic, and total: any text gives chunks, the empty text none.
 */
export function chunkDocument(document: SourceDocument, options: ChunkOptions): Chunk[] {
  const limits = chunkLimits(options.targetTokens);
  const { text } = document;
  if (text === "") return [];
  const structure = structureOf(text, document.format);
  const measure = new Measure(text, options.counter);
  const packed = new Packer(text, measure, limits).packSection(structure.root);
  const groups = absorbTiny(packed, limits);
  const measured = groups.flatMap((group) => measureGroup(group.pieces, measure, limits));
  return describe(document, measured, structure.headings);
}

function structureOf(text: string, format: TextFormat): Structure {
  const parsed = format === "markdown" ? markdownStructure(text) : undefined;
  if (parsed !== undefined) return parsed;
  const block: Block = {
    type: "block",
    start: 0,
    end: text.length,
    splitter: format === "code" ? { kind: "code", depth: 0 } : PROSE,
    keepWhole: format === "row",
  };
  const root = { type: "section", start: 0, end: text.length, heading: undefined, children: [block] } as const;
  return { root, headings: [] };
}

interface Measured extends Span {
  readonly tokens: number;
}

/**
 * A group as one chunk with its exact tokens. The sum over pieces is nearly always an upper bound; where it was not
 * and the chunk would break the limit, the group is halved.
 */
function measureGroup(pieces: readonly Piece[], measure: Measure, limits: ChunkLimits): Measured[] {
  const first = pieces[0];
  const last = pieces.at(-1);
  if (first === undefined || last === undefined) return [];
  const tokens = measure.shown(pieces);
  if (tokens <= limits.chunkTokensMax || pieces.length === 1) return [{ start: first.start, end: last.end, tokens }];
  const middle = Math.ceil(pieces.length / 2);
  return [pieces.slice(0, middle), pieces.slice(middle)].flatMap((half) => measureGroup(half, measure, limits));
}

function describe(document: SourceDocument, spans: readonly Measured[], headings: readonly Heading[]): Chunk[] {
  const { id, title, uri, metadata, text } = document;
  const starts = spans.map((span) => span.start);
  const lines = lineNumbers(text, starts);
  const paths = headingPaths(document.text, spans, headings);
  return spans.map(({ start, end, tokens }, index) => ({
    id: `${id}#${index}`,
    documentId: id,
    index,
    count: spans.length,
    start,
    end,
    line: lines[index] ?? 1,
    text: text.slice(start, end),
    tokens,
    title,
    headings: paths[index] ?? [],
    uri,
    metadata,
  }));
}

/** The headings above the first sign of every chunk, one with which the chunk begins included; outermost first. */
function headingPaths(text: string, spans: readonly Span[], headings: readonly Heading[]): (readonly string[])[] {
  let above: readonly Heading[] = [];
  let next = 0;
  return spans.map((span) => {
    for (let heading = headings[next]; heading !== undefined; heading = headings[++next]) {
      if (heading.start > span.start && !isBlank(text, span.start, heading.start)) break;
      const level = heading.level;
      above = [...above.filter((outer) => outer.level < level), heading];
    }
    return above.map((heading) => heading.text);
  });
}
