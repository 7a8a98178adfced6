import type { BlockBuilder, Formatter, SelectorDefinition } from "html-to-text";
import { oneLine, withoutTrailingBlanks } from "../../core/text.ts";
import { nestsDeeperThan, scanHtml } from "./html-scan.ts";
import { TITLE_UNITS_MAX } from "./markdown-document.ts";

export interface HtmlText {
  /** Markdown-like: headings as `#`, lists as `-`, preformatted text fenced. */
  readonly text: string;
  readonly title: string | undefined;
  readonly note?: string;
}

/** Units above which a page is not parsed into a tree; only its bare text is taken, in one linear pass. */
const HTML_TREE_UNITS_MAX = 8 * 1024 * 1024;
/** A table row up to this length is put on one line; a longer one is a page laid out with tables. */
const ROW_LINE_UNITS_MAX = 2_000;

const HEADINGS = ["h1", "h2", "h3", "h4", "h5", "h6"];
/** Not what the page is about: programs, styles, navigation, controls, pictures. */
const UNREAD =
  "head script style nav template noscript iframe object embed svg canvas audio video img button select textarea input".split(
    " ",
  );

/** The readable text of a page. Never throws and never overflows: too deep or too large a page gives its bare text. */
export async function readHtml(html: string, depthMax: number): Promise<HtmlText> {
  if (html.length > HTML_TREE_UNITS_MAX)
    return bare(html, "The page is too large to parse; only its bare text was taken.");
  if (nestsDeeperThan(html, depthMax)) return bare(html, "Elements nest too deeply; only the bare text was taken.");
  const { compile } = await import("html-to-text");
  const limits = { maxInputLength: HTML_TREE_UNITS_MAX };
  const title = titleSource(html);
  try {
    const convert = compile({
      wordwrap: false,
      limits,
      baseElements: { selectors: ["body"], returnDomByDefault: true },
      formatters: { winnowHeading: heading, winnowFence: fence, winnowRow: row, winnowCell: cell },
      selectors: selectors(),
    });
    const whole = compile({ wordwrap: false, limits, selectors: [] });
    return { text: tidy(convert(html)), title: title === undefined ? undefined : titleText(whole(title)) };
  } catch {
    return bare(html, "The page could not be parsed; only its bare text was taken.");
  }
}

function selectors(): SelectorDefinition[] {
  return [
    ...HEADINGS.map((selector) => ({ selector, format: "winnowHeading" })),
    ...UNREAD.map((selector) => ({ selector, format: "skip" })),
    { selector: "pre", format: "winnowFence" },
    { selector: "tr", format: "winnowRow" },
    { selector: "td", format: "winnowCell" },
    { selector: "th", format: "winnowCell" },
    { selector: "a", format: "inline" },
    { selector: "ul", format: "unorderedList", options: { itemPrefix: "- " } },
    { selector: "hr", format: "lineBreak" },
  ];
}

/** White space around line ends becomes one space. */
function oneLineBlock(text: string): string {
  const lines = text.split("\n");
  const last = lines.length - 1;
  const inner = lines.map((line, i) => (i === 0 ? line.trimEnd() : i === last ? line.trimStart() : line.trim()));
  return inner.filter((line, i) => line !== "" || i === 0 || i === last).join(" ");
}

const heading: Formatter = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 2 });
  walk(element.children, builder);
  const marks = "#".repeat(Number(element.name.slice(1)));
  const blockTransform = (text: string) => (text.trim() === "" ? "" : `${marks} ${oneLineBlock(text.trim())}`);
  builder.closeBlock({ trailingLineBreaks: 2, blockTransform });
};

const fence: Formatter = (element, walk, builder) => {
  builder.openBlock({ isPre: true, leadingLineBreaks: 2 });
  walk(element.children, builder);
  builder.closeBlock({ trailingLineBreaks: 2, blockTransform: fenced });
};

/** The fence is longer than any run of backticks inside, so the text cannot end it. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`{3,}/g) ?? []).slice(0, 1_000).map((run) => run.length));
  const mark = "`".repeat(longest + 1);
  return `${mark}\n${text}\n${mark}`;
}

const row: Formatter = (element, walk, builder) => {
  builder.openBlock({ leadingLineBreaks: 1 });
  walk(element.children, builder);
  const blockTransform = (text: string) => (text.length <= ROW_LINE_UNITS_MAX ? oneLineBlock(text) : text);
  builder.closeBlock({ trailingLineBreaks: 1, blockTransform });
};

function cell(...[element, walk, builder]: Parameters<Formatter>): void {
  walk(element.children, builder);
  separate(builder);
}

function separate(builder: BlockBuilder): void {
  builder.addInline(" | ");
}

function tidy(text: string): string {
  return withoutTrailingBlanks(text).replace(/\n{3,}/g, "\n\n");
}

function titleSource(html: string): string | undefined {
  const title = /<title[^>]{0,200}>([^<]{1,5000})<\/title/i.exec(html)?.[1];
  return title === undefined || title.trim() === "" ? undefined : title;
}

function titleText(text: string): string | undefined {
  const title = oneLine(text, TITLE_UNITS_MAX);
  return title === "" ? undefined : title;
}

const INLINE = new Set(
  "a abbr b big bdi bdo cite code em font i kbd label mark q s samp small span strong sub sup u var wbr".split(" "),
);
const DROPPED = new Set(["script", "style", "title", "textarea", "iframe", "noembed", "noframes"]);

/** Text with tags removed and headings kept, for pages that must not be parsed into a tree. */
function bare(html: string, note: string): HtmlText {
  const parts: string[] = [];
  let dropped = false;
  for (const part of scanHtml(html)) {
    if (part.tag === "") {
      if (!dropped) parts.push(part.text.replace(/\s+/g, " "));
      continue;
    }
    dropped = !part.closing && DROPPED.has(part.tag);
    if (INLINE.has(part.tag)) continue;
    const level = HEADINGS.indexOf(part.tag) + 1;
    parts.push(
      level > 0 && !part.closing ? `\n\n${"#".repeat(level)} ` : level > 0 || part.tag === "p" ? "\n\n" : "\n",
    );
  }
  const title = titleSource(html);
  const text = tidy(decodeEntities(parts.join("")).replace(/^[ \t]+/gm, "")).trim();
  return { text, title: title === undefined ? undefined : titleText(decodeEntities(title)), note };
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

function decodeEntities(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,4}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[String(name).toLowerCase()] ?? whole;
    const point = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
    return point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? String.fromCodePoint(point) : whole;
  });
}
