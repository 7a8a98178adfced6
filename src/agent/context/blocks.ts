import { shownMetadata } from "../../core/provenance.ts";
import { oneLine, shownText } from "../../core/text.ts";
import type { TokenCounter } from "../../core/token-counter.ts";
import type { RecordedChunk } from "../../record/events.ts";
import type { Profile } from "../profiles/profile.ts";
import { escapeLookalikes } from "./lookalikes.ts";
import type { Block, ShownChunk } from "./rendered.ts";

const VIRTUAL_HEADING = "# DOCUMENT ID: ";
const STUB_TITLE_UNITS_MAX = 60;
const SHORT_HEADING = "## Chunk ";

/** A block of our own wording. `text` must not start with white space or a slash; the blank line at its end is added. */
export function textBlock(text: string, counter: TokenCounter, kind: Block["kind"] = "text"): Block {
  const whole = `${text.trimEnd()}\n\n`;
  return { kind, text: whole, tokens: counter.count(whole) };
}

function titleLine(chunk: RecordedChunk): string {
  const parts = chunk.headings[0] === chunk.title ? chunk.headings : [chunk.title, ...chunk.headings];
  return escapeLookalikes(
    parts
      .filter((part) => part.trim() !== "")
      .join(" > ")
      .replace(/\s+/g, " ")
      .trim(),
  );
}

/** The lines under a chunk's heading line, each ended by a line end: title, then what is shown of the metadata. */
export function headLinesOf(chunk: RecordedChunk, profile: Profile): readonly string[] {
  const title = titleLineOf(chunk, profile);
  const metadata = metadataLineOf(chunk, profile);
  return [title, metadata].filter((line) => line !== "");
}

/** `modified=2026-05-14; repository=kit`: keys as filters take them. */
function metadataLineOf({ metadata }: RecordedChunk, profile: Profile): string {
  if (profile.showMetadata !== true) return "";
  const pairs = shownMetadata(metadata).map(([key, value]) => `${key}=${value}`);
  const line = escapeLookalikes(pairs.join("; ").replace(/\s+/g, " ").trim());
  return line === "" ? "" : `${line}\n`;
}

/** Tokens of a title or metadata line; titles come again with every chunk of their document. */
export function headLinesTokens(lines: readonly string[], counter: TokenCounter): number {
  return lines.reduce((sum, line) => sum + lineTokens(line, counter), 0);
}

function lineTokens(line: string, counter: TokenCounter): number {
  let counts = lineCounts.get(counter);
  if (counts === undefined || counts.size >= LINES_COUNTED_MAX) {
    counts = new Map();
    lineCounts.set(counter, counts);
  }
  let tokens = counts.get(line);
  if (tokens === undefined) {
    tokens = counter.count(line);
    counts.set(line, tokens);
  }
  return tokens;
}
const LINES_COUNTED_MAX = 10_000;
const lineCounts = new WeakMap<TokenCounter, Map<string, number>>();

/** The line under a chunk's heading line, ended by a line end; empty where titles are not shown. */
function titleLineOf(chunk: RecordedChunk, profile: Profile): string {
  const title = profile.showTitles ? titleLine(chunk) : "";
  return title === "" ? "" : `${title}\n`;
}

/** True when the tokenizer cannot merge what stands before a line end with `text` behind it. */
function isSeparable(text: string): boolean {
  const first = text.charAt(0);
  return first !== "/" && first.trim() !== "";
}

/** A chunk as shown: heading line, title line, text. The stored count is used unless escaping changed the text. */
export function chunkBlock(
  chunk: RecordedChunk,
  ids: { readonly shownId: string; readonly shownDocumentId: string },
  profile: Profile,
  counter: TokenCounter,
): Block {
  const prefix = profile.idStyle === "virtual" ? VIRTUAL_HEADING : SHORT_HEADING;
  const head = `${prefix}${ids.shownId} (${chunk.tokens} tokens)\n`;
  const lines = headLinesOf(chunk, profile);
  const plain = shownText(chunk.text);
  const body = escapeLookalikes(plain);
  const shown: ShownChunk = {
    key: chunk.key,
    shownId: ids.shownId,
    shownDocumentId: ids.shownDocumentId,
    index: chunk.index,
    title: chunk.title,
    headings: chunk.headings,
    text: chunk.text,
    ...(profile.showMetadata === true ? { metadata: shownMetadata(chunk.metadata) } : {}),
  };
  const text = head + lines.join("") + body;
  // The parts are counted apart where nothing can merge across the line ends between them; that is nearly always.
  const apart = lines.every(isSeparable) && isSeparable(body);
  const bodyTokens = body === plain ? chunk.tokens : counter.count(body);
  const tokens = apart ? counter.count(head) + headLinesTokens(lines, counter) + bodyTokens : counter.count(text);
  return { kind: "chunk", text, tokens, chunk: shown };
}

/** What a pruned chunk leaves behind under `pruneLeaves: "stub"`: enough to read it again. */
export function stubBlock(shown: ShownChunk, counter: TokenCounter): Block {
  const title = escapeLookalikes(oneLine(shown.title, STUB_TITLE_UNITS_MAX));
  const { shownId, shownDocumentId } = shown;
  const block = textBlock(`[Pruned: ${shownId}${title === "" ? "" : ` ${title}`}]`, counter, "stub");
  return { ...block, pruned: { shownId, shownDocumentId } };
}

/** `[Token usage: 14,203/32,768]`; denominator and separators belong to the profile. */
export function usageLine(used: number, profile: Profile): string {
  const { denominator, thousands } = profile.usageLine;
  const of = denominator === "limit" ? profile.budget.limit : profile.budget.soft;
  const format = (tokens: number): string => (thousands ? withThousands(tokens) : String(tokens));
  return `[Token usage: ${format(used)}/${format(of)}]`;
}

/** `14,203`. Intl does the same a hundred times slower, and this runs in every turn. */
function withThousands(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ",");
}
