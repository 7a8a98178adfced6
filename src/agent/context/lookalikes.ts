/** A line, by every sign that a reader or a terminal may take for its end. */
const LINE = /[^\n\r\v\f\u0085\u2028\u2029]+/g;
/** As much of a line as can show whether it reads like one of ours, UTF-16 units. */
const HEAD_UNITS = 120;
/** As much as is looked at where some of it is not seen. */
const FOLDED_UNITS = 2_000;
/** What stands before the first sign that is seen. */
const UNSEEN = /[\s\p{Cf}\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}]/u;
const ALL_UNSEEN = new RegExp(UNSEEN.source.replace("\\s", ""), "gu");
const ASCII = /^[\t\x20-\x7e]*$/;

/** Headings of chunks, usage lines and stubs, folded. */
const HEADING = /^\s*(?:#+\s*document\s+id\s*:|#+\s*chunk\s+d\d|\[\s*token\s+usage|\[\s*pruned)/;
/** And whatever else the harness says in lines of its own. */
const OURS = new RegExp(
  `${HEADING.source}|^\\s*(?:${[
    "\\[\\s*the\\s+rest\\s+of\\s+your\\s+notes",
    "your\\s+notes,\\s+as\\s+you\\s+last\\s+wrote\\s+them",
    "your\\s+list\\s+so\\s+far,\\s+side\\s+by\\s+side",
    "you\\s+are\\s+over\\s+your\\s+budget",
    "the\\s+search\\s+ends\\s+here\\s+and\\s+no\\s+other\\s+tool",
    "already\\s+in\\s+your\\s+context:",
    "pruned\\s+earlier:",
  ].join("|")})`,
);

/** Letters of other scripts that are drawn like those of our lines; compatibility forms (fullwidth, …) fold by themselves. */
const DRAWN_ALIKE: ReadonlyMap<string, string> = new Map(
  Object.entries({
    a: "аαɑ",
    b: "Ьвβ",
    c: "сϲ",
    d: "ԁ",
    e: "еεℯ",
    f: "ƒ",
    g: "ɡց",
    h: "һнη",
    i: "іιıɩ",
    k: "кκ",
    l: "ӏⅼ",
    m: "мμ",
    n: "ոпν",
    o: "оοօ",
    p: "рρ",
    r: "гᴦ",
    s: "ѕꜱ",
    t: "тτ",
    u: "υսц",
    w: "ԝω",
    x: "хχ",
    y: "уγү",
    "#": "♯⋕",
    "[": "〔【⟦❲",
    ":": "։׃∶ː",
  }).flatMap(([plain, others]) => [...others].map((other): [string, string] => [other, plain])),
);

/** The beginning of a line as an eye reads it: without what is not seen, one letter for all that are drawn like it. */
function folded(line: string): string {
  const head = line.slice(0, HEAD_UNITS);
  if (ASCII.test(head)) return head.toLowerCase();
  const seen = line.slice(0, FOLDED_UNITS).normalize("NFKC").replace(ALL_UNSEEN, "").slice(0, HEAD_UNITS).toLowerCase();
  return [...seen].map((character) => DRAWN_ALIKE.get(character) ?? character).join("");
}

function marked(text: string, pattern: RegExp): string {
  return text.replace(LINE, (line) => {
    // Nearly no line begins like one of ours; what is not seen in front of it may be long.
    let start = 0;
    while (start < line.length && UNSEEN.test(line.charAt(start))) start++;
    return pattern.test(folded(line.slice(start, start + FOLDED_UNITS)))
      ? `${line.slice(0, start)}\\${line.slice(start)}`
      : line;
  });
}

/**
 * Marks look-alike lines of corpus text with a backslash, so that no document can forge a heading, a usage line, the
 * policy's own notes or a word of the harness, spelt out or drawn alike.
 */
export function escapeLookalikes(text: string): string {
  return marked(text, OURS);
}

/** The same for lines in which the harness itself speaks and quotes: only what stands for chunks and budget is marked. */
export function escapeHeadings(text: string): string {
  return text.includes("#") || text.includes("[") ? marked(text, HEADING) : text;
}
