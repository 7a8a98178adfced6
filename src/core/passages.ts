import { stripControl } from "./text.ts";

/** A span of a text that can be quoted by itself, without its marks. */
export interface Quotable {
  readonly kind: "heading" | "sentence" | "line";
  /** On one line, never empty. */
  readonly text: string;
  /** What its words are counted over: the same, with the code that follows it, or the head of its table. */
  readonly about: string;
}

/** Units of code that belong to what stands before it: what a block does is told by its beginning. */
const CODE_UNITS_MAX = 1_200;
/** An item of a list up to this length is quoted as a whole. */
const ITEM_UNITS_MAX = 240;
const FENCE = /^\s{0,8}(?:`{3,}|~{3,})/u;
const RULE = /^[\s|:+=_*~-]*$/u;
const HEADING = /^\s{0,3}#{1,6}\s+(?=\S)/u;
const BULLET = /^\s*(?:[-*+•‣–]|\d{1,3}[.)])\s+(?=\S)/u;
const COMMENT = /^\s*(?:\/\/+!?|\/\*+!?|\*(?!\*|\S)|#+!?(?=\s)|--(?=\s)|;;+)\s*/u;
const TAGS =
  /<\/?(?:a|abbr|b|br|code|dd|details|div|dl|dt|em|h[1-6]|hr|i|img|kbd|li|ol|p|pre|small|span|strong|sub|summary|sup|table|td|th|tr|u|ul)\b[^<>]{0,400}>/giu;
/** Before a stop, these end no sentence. */
const ABBREVIATION =
  /(?:^|[\s(])(?:\p{L}|e\.g|i\.e|[Ee]tc|vs|cf|ca|approx|[Nn]o|[Nn]r|[Ff]ig|[DMS]r|Mrs|Prof|St|Inc|Ltd|Jr|Sr|al|resp)$/u;
const CLOSING = "\"'”’»)]*_`";

/**
 * What of a text can be quoted: headings, sentences of its prose, and the lines of lists and tables, in their order. A
 * block of code is no quotation: its words count for the sentence or heading before it. Where a text is nothing but code,
 * its comments are its prose, and where it has none its lines are quoted. Linear in the length of the text.
 */
export function quotables(text: string): Quotable[] {
  const lines = withoutFrontMatter(text).split("\n");
  const reader = new Reader();
  const isCode = isMostlyCode(lines);
  let fenced = false;
  for (const line of lines) {
    if (FENCE.test(line)) {
      reader.flush();
      fenced = !fenced;
    } else if (fenced) reader.code(line);
    else if (isCode) reader.programLine(line);
    else reader.line(line);
  }
  reader.flush();
  return reader.found.length > 0 ? reader.found : codeLines(lines);
}

/** `text` where it has at most `unitsMax` units, else its beginning up to a space, with an ellipsis. */
export function cutAtWord(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  const space = text.lastIndexOf(" ", unitsMax - 1);
  let end = space > unitsMax / 2 ? space : unitsMax - 1;
  const last = text.charCodeAt(end - 1);
  if (last >= 0xd800 && last <= 0xdbff) end--;
  return `${text.slice(0, end).replace(/[\s,;:–-]{1,20}$/u, "")}…`;
}

/** Text as it reads: without emphasis, targets of links, tags and code marks; one line, no control characters. */
export function plainLine(text: string): string {
  return stripControl(text)
    .replace(/!\[[^\]\n]{0,300}\]\([^)\n]{0,800}\)/gu, " ")
    .replace(/\[([^\]\n]{0,300})\](?:\([^)\n]{0,800}\)|\[[^\]\n]{0,200}\])/gu, "$1")
    .replace(/\[\[([^\]\n|]{1,300})(?:\|[^\]\n]{0,300})?\]\]/gu, "$1")
    .replace(TAGS, " ")
    .replace(/\*{2,3}|`+|(?<!\w)__|__(?!\w)/gu, "")
    .replace(/\s+/gu, " ")
    .trim();
}

/** Gathers the lines of paragraphs and items until they end. */
class Reader {
  readonly found: Quotable[] = [];
  #paragraph: string[] = [];
  #isItem = false;
  /** The head of the table that is being read, with a line end. */
  #head = "";
  /** Whether the last line was a row. */
  #isInTable = false;

  line(line: string): void {
    const isTable = isRow(line);
    if (!isTable) this.#head = "";
    const follows = this.#isInTable;
    this.#isInTable = isTable && !RULE.test(line);
    if (isTable && RULE.test(line) && follows) this.#takeHead();
    else if (line.trim() === "" || RULE.test(line)) this.flush();
    else if (HEADING.test(line)) {
      this.flush();
      this.#add("heading", line.replace(HEADING, "").replace(/\s#+\s*$/u, ""));
    } else if (isTable) {
      this.flush();
      this.#add("line", rowText(line), this.#head);
    } else {
      if (BULLET.test(line)) {
        this.flush();
        this.#isItem = true;
      }
      this.#paragraph.push(line.replace(BULLET, "").replace(/^\s*>+\s?/u, ""));
    }
  }

  /** A line of a program: comments are its prose. */
  programLine(line: string): void {
    const comment = COMMENT.exec(line);
    const words = comment === null ? "" : line.slice(comment[0].length).replace(/\*+\/\s*$/u, "");
    if (comment !== null && /\p{L}{2}/u.test(words)) this.#paragraph.push(words);
    else {
      this.flush();
      if (comment === null) this.code(line);
    }
  }

  code(line: string): void {
    const last = this.found.at(-1);
    if (last === undefined || last.about.length > CODE_UNITS_MAX || line.trim() === "") return;
    this.found[this.found.length - 1] = { ...last, about: `${last.about}\n${line}` };
  }

  flush(): void {
    const text = plainLine(this.#paragraph.join(" "));
    const isWhole = this.#isItem && text.length <= ITEM_UNITS_MAX;
    for (const part of isWhole ? [text] : sentencesOf(text)) this.#add(isWhole ? "line" : "sentence", part);
    this.#paragraph = [];
    this.#isItem = false;
  }

  /** The row before a rule is the head: it names what stands in the rows below, and is itself a heading. */
  #takeHead(): void {
    const last = this.found.at(-1);
    if (last === undefined || this.#head !== "") return;
    this.#head = `${last.text}\n`;
    this.found[this.found.length - 1] = { ...last, kind: "heading" };
  }

  #add(kind: Quotable["kind"], raw: string, head = ""): void {
    const text = plainLine(raw);
    if (/[\p{L}\p{N}]/u.test(text)) this.found.push({ kind, text, about: head + text });
  }
}

/** Sentences of one line of prose. A stop behind an abbreviation or a single letter ends none. */
export function sentencesOf(text: string): string[] {
  const found: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const sign = text.charAt(i);
    const isWide = "。！？".includes(sign);
    if (!isWide && !".!?".includes(sign)) continue;
    let end = i + 1;
    while (end < text.length && CLOSING.includes(text.charAt(end))) end++;
    const isEnd = isWide || (text.charAt(end) === " " && opensSentence(text, end + 1) && !isAbbreviated(text, i, sign));
    if (!isEnd) continue;
    found.push(text.slice(start, end).trim());
    start = end;
    i = end - 1;
  }
  found.push(text.slice(start).trim());
  return found.filter((sentence) => sentence !== "");
}

function opensSentence(text: string, at: number): boolean {
  return /^["'“‘«([*_`]{0,3}[\p{Lu}\p{Lo}\p{N}]/u.test(text.slice(at, at + 5));
}

function isAbbreviated(text: string, at: number, sign: string): boolean {
  return sign === "." && ABBREVIATION.test(text.slice(Math.max(0, at - 8), at));
}

function isRow(line: string): boolean {
  return /^\s*[|│]/u.test(line) || (line.match(/ [|│] /gu)?.length ?? 0) >= 2 || (line.match(/\t/gu)?.length ?? 0) >= 2;
}

function rowText(line: string): string {
  const cells = line.split(/[|│\t]/u).map((cell) => cell.trim());
  return cells.filter((cell) => cell !== "").join(" | ");
}

/** Lines that end or are built as those of programs, against lines of prose; fenced code belongs to a page. */
function isMostlyCode(lines: readonly string[]): boolean {
  if (lines.some((line) => FENCE.test(line))) return false;
  const written = lines.filter((line) => line.trim() !== "");
  const code = written.filter((line) => isCodeLine(line) || COMMENT.test(line));
  return code.length >= 0.5 * written.length && written.some(isCodeLine);
}

function isCodeLine(line: string): boolean {
  return (
    /(?:[;{}]|\)\s*:|=>|\($|\[$|[^.]\s->)\s*$/u.test(line) ||
    /^\s*(?:import|export|from|const|let|var|def|class|function|fn|func|pub|public|private|static|return|if|for|while|package|using|#include|@\w+)\b.{0,200}[=({;:]/u.test(
      line,
    ) ||
    /^\s*[\w.$[\]]{1,80}\s*(?:=|\+=|:=|\()/u.test(line)
  );
}

function codeLines(lines: readonly string[]): Quotable[] {
  return lines.flatMap((line): Quotable[] => {
    const text = stripControl(line).replace(/\s+/gu, " ").trim();
    return /[\p{L}\p{N}]{2}/u.test(text) && !FENCE.test(line) ? [{ kind: "line", text, about: text }] : [];
  });
}

/** Front matter is metadata, which stands elsewhere; a chunk may also begin with the rest of one. */
function withoutFrontMatter(text: string): string {
  if (!text.startsWith("---\n")) return text;
  const end = text.indexOf("\n---\n", 3);
  const rest = end < 0 ? "" : text.slice(end + "\n---\n".length);
  return rest.trim() === "" ? text : rest;
}
