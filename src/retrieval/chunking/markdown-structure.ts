import createParser, { type MarkdownIt, type Token } from "markdown-it";
import { type Heading, PROSE, type Splitter, type Structure } from "./node.ts";
import { plainHeading } from "./plain-heading.ts";
import { buildSections, type FlatNode } from "./sections.ts";
import { lineStarts } from "./span.ts";

/** Levels of quotes and lists that are parsed; what nests deeper is plain text to us. Bounds the parser's recursion. */
const NESTING_MAX = 12;
/** Larger texts are not parsed; they are split as plain text. */
const MARKDOWN_UNITS_MAX = 16 * 1024 * 1024;
const FRONT_MATTER_UNITS_MAX = 64 * 1024;

let parser: MarkdownIt | undefined;

/** Blocks only: nothing here looks inside a paragraph, and inline rules are where the time goes. */
function blockParser(): MarkdownIt {
  if (parser === undefined) {
    parser = new createParser("default", { html: false, maxNesting: NESTING_MAX });
    parser.core.ruler.enableOnly(["block"]);
  }
  return parser;
}

/** Sections and blocks of a Markdown text, tiling it. Undefined when it cannot be parsed. */
export function markdownStructure(text: string): Structure | undefined {
  if (text.length > MARKDOWN_UNITS_MAX) return undefined;
  const start = frontMatterEnd(text);
  const lines = [...lineStarts(text, { start, end: text.length })];
  let tokens: readonly Token[];
  try {
    tokens = blockParser().parse(start === 0 ? text : text.slice(start), {});
  } catch {
    return undefined;
  }
  const headings: Heading[] = [];
  const flat: FlatNode[] = [];
  for (const [index, token] of tokens.entries()) {
    if (token.level !== 0 || token.nesting === -1 || token.map === null) continue;
    if (token.type === "reference_definition") continue;
    const offset = lines[token.map[0]] ?? text.length;
    if (offset >= text.length) continue;
    if (token.type === "heading_open") {
      const heading = {
        start: offset,
        level: Number(token.tag.slice(1)),
        text: plainHeading(tokens[index + 1]?.content ?? ""),
      };
      headings.push(heading);
      flat.push({ start: offset, level: heading.level, splitter: PROSE, keepWhole: false });
    } else {
      const splitter = splitterOf(token, tokens, index, lines);
      flat.push({ start: offset, level: undefined, splitter, keepWhole: isKeptWhole(token) });
    }
  }
  return { root: buildSections(text, start, flat), headings };
}

/** Where the block of metadata at the very start ends; 0 when there is none. */
function frontMatterEnd(text: string): number {
  if (!/^---[ \t]*\n/.test(text)) return 0;
  const head = text.slice(0, FRONT_MATTER_UNITS_MAX);
  const close = /\n(?:---|\.\.\.)[ \t]*(?:\n|$)/g;
  close.lastIndex = text.indexOf("\n");
  const match = close.exec(head);
  return match === null ? 0 : match.index + match[0].length;
}

function isKeptWhole(token: Token): boolean {
  return token.type === "fence" || token.type === "code_block" || token.type === "table_open";
}

function splitterOf(token: Token, tokens: readonly Token[], index: number, lines: readonly number[]): Splitter {
  switch (token.type) {
    case "fence":
    case "code_block":
      return { kind: "code", depth: 0 };
    case "table_open":
      return { kind: "lines" };
    case "bullet_list_open":
    case "ordered_list_open":
      return { kind: "cuts", cuts: itemStarts(tokens, index, lines) };
    default:
      return PROSE;
  }
}

function itemStarts(tokens: readonly Token[], list: number, lines: readonly number[]): number[] {
  const starts: number[] = [];
  for (let index = list + 1; index < tokens.length; index++) {
    const token = tokens[index];
    if (token === undefined || token.level === 0) break;
    const offset = token.type === "list_item_open" && token.level === 1 ? lines[token.map?.[0] ?? -1] : undefined;
    if (offset !== undefined) starts.push(offset);
  }
  return starts;
}
