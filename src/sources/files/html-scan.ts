/** One tag or stretch of text of an HTML page, in order. */
export interface HtmlPart {
  /** Name in lower case, or empty for text. */
  readonly tag: string;
  readonly closing: boolean;
  readonly text: string;
}

const RAW_TEXT = new Set(["script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"]);

/** Walks a page in one linear pass without building a tree, so no input can exhaust the stack or take quadratic time. */
export function* scanHtml(html: string): Generator<HtmlPart> {
  let position = 0;
  while (position < html.length) {
    const open = html.indexOf("<", position);
    if (open === -1) break;
    const tag = tagAt(html, open);
    if (tag === undefined) {
      yield { tag: "", closing: false, text: html.slice(position, open + 1) };
      position = open + 1;
      continue;
    }
    if (open > position) yield { tag: "", closing: false, text: html.slice(position, open) };
    position = tag.end;
    if (tag.name === "") continue;
    yield { tag: tag.name, closing: tag.closing, text: "" };
    if (tag.closing || !RAW_TEXT.has(tag.name)) continue;
    const close = new RegExp(`</${tag.name}`, "gi");
    close.lastIndex = position;
    const end = close.exec(html)?.index ?? html.length;
    yield { tag: "", closing: false, text: html.slice(position, end) };
    position = end;
  }
  if (position < html.length) yield { tag: "", closing: false, text: html.slice(position) };
}

interface Tag {
  /** Empty for comments and declarations. */
  readonly name: string;
  readonly closing: boolean;
  readonly end: number;
}

const TAG_NAME = /<(\/?)([a-z][^\s/>]{0,63})/iy;

function tagAt(html: string, open: number): Tag | undefined {
  if (html.startsWith("<!--", open)) return { name: "", closing: false, end: after(html, "-->", open + 4) };
  const next = html[open + 1];
  if (next === "!" || next === "?") return { name: "", closing: false, end: after(html, ">", open + 2) };
  TAG_NAME.lastIndex = open;
  const match = TAG_NAME.exec(html);
  if (match === null) return undefined;
  return { name: (match[2] ?? "").toLowerCase(), closing: match[1] === "/", end: tagEnd(html, TAG_NAME.lastIndex) };
}

function after(html: string, mark: string, from: number): number {
  const found = html.indexOf(mark, from);
  return found === -1 ? html.length : found + mark.length;
}

/** Just behind the `>` that ends a tag; one inside a quoted attribute does not. */
function tagEnd(html: string, from: number): number {
  let position = from;
  while (position < html.length) {
    const character = html[position];
    if (character === ">") return position + 1;
    const quoted = (character === '"' || character === "'") && /[=\s]/.test(html[position - 1] ?? "");
    position = quoted ? after(html, character, position + 1) : position + 1;
  }
  return html.length;
}

const VOID = new Set("area base br col embed hr img input link meta param source track wbr".split(" "));
/** Elements whose end tag may be left out: the next of these closes an open one. A subset of what a parser closes. */
const CLOSED_BY_NEXT: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    p: "p",
    li: "li",
    dt: "dt dd",
    dd: "dt dd",
    tr: "tr td th",
    td: "td th",
    th: "td th",
    option: "option",
    tbody: "tr td th",
  }).map(([name, closes]): [string, ReadonlySet<string>] => [name, new Set(closes.split(" "))]),
);

/** True when elements nest deeper than `depthMax`. Linear: a close tag searches at most `depthMax` open elements. */
export function nestsDeeperThan(html: string, depthMax: number): boolean {
  const open: string[] = [];
  for (const part of scanHtml(html)) {
    if (part.tag === "" || VOID.has(part.tag)) continue;
    if (part.closing) {
      const index = open.lastIndexOf(part.tag);
      if (index !== -1) open.length = index;
      continue;
    }
    const closes = CLOSED_BY_NEXT.get(part.tag);
    while (closes !== undefined && open.length > 0 && closes.has(open.at(-1) ?? "")) open.pop();
    open.push(part.tag);
    if (open.length > depthMax) return true;
  }
  return false;
}
