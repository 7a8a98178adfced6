import type { Chance } from "./chance.ts";

/** A kind of text as the mutations know it: what its pieces are, what else could stand there, what nests. */
interface Grammar {
  /** Matches every piece; what it leaves out is lost. */
  readonly piece: RegExp;
  readonly words: readonly [string, ...string[]];
  /** Repeated before and behind a piece. */
  readonly nests: readonly [readonly [open: string, close: string], ...(readonly [open: string, close: string])[]];
}

const LINES = /[^\n]*\n|[^\n]+/g;
const NESTING = 10_000;
const NESTING_SHARE = 0.02;
const REPEATS_MAX = 2_000;

export const GRAMMARS = {
  markdown: {
    piece: LINES,
    words: [
      "# Heading\n",
      "###### \n",
      "Underlined\n===\n",
      "---\n",
      "```\n",
      "~~~~js\n",
      "> quoted\n",
      "- item\n",
      "1000000000. item\n",
      "    code\n",
      "\tcode\n",
      "| a | b |\n| - | - |\n",
      "[a]: <b> 'c'\n",
      '[a](b "c")![d](e)\n',
      "<div>\n",
      "<!--\n",
      "<?\n",
      "***a**b*c_d_e__\n",
      "\\\n",
      "\n\n\n",
      'title: "x\n',
    ],
    nests: [
      ["> ", ""],
      ["- ", ""],
      ["1. ", ""],
      ["[", "]"],
      ["*", "*"],
      ["`", "`"],
      ["  ", ""],
      ["<div>", "</div>"],
    ],
  },
  yaml: {
    piece: LINES,
    words: [
      "---\n",
      "...\n",
      "private: true\n",
      "title: [a, {b: c}\n",
      "title: !!binary x\n",
      "title: !!js/function x\n",
      "date: 2026-02-30\n",
      "date: 9999999-01-01\n",
      "modified: .inf\n",
      "a: &a [b]\nc: *a\n",
      "<<: *a\n",
      "? complex\n: key\n",
      "__proto__: {polluted: true}\n",
      "constructor: x\n",
      "text: |\n  block\n",
      "text: >-9\n x\n",
      "\tkey: tab\n",
      "%YAML 9.9\n",
      "'unclosed: x\n",
      "tags: [1, 2.5, null, true, [x]]\n",
    ],
    nests: [
      ["[", "]"],
      ["{a: ", "}"],
      ["- ", ""],
      ["a: ", ""],
      ["? ", ""],
      [" ", ""],
    ],
  },
  table: {
    piece: /[^,;\t|\n]*(?:[,;\t|\n]|$)/g,
    words: [
      '"',
      '""',
      '"a,b"',
      '"unclosed',
      ",",
      ";",
      "\t",
      "\n",
      "\r\n",
      "=1+1,",
      "@SUM(A1),",
      "__proto__,",
      "id,",
      "_id,",
      "text,",
      "title,",
      " ,",
      '"a"b,',
      "\u0000,",
    ],
    nests: [
      ['"', '"'],
      [",", ""],
      ["a,", ""],
      ["\n", ""],
    ],
  },
  html: {
    piece: /<[^>]*>|[^<]+|</g,
    words: [
      "<div>",
      "</div>",
      "<p>",
      "<table><tr><td>",
      "<pre>",
      "<script>",
      "</script>",
      "<style>",
      "<title>",
      "<textarea>",
      "<svg><foreignObject>",
      "<!--",
      "<![CDATA[",
      "<!doctype html>",
      "<a href='javascript:x'>",
      "<b a=\"'>",
      "<b a=b a=c a",
      "<h1>",
      "<li>",
      "<select><option>",
      "<template>",
      "<iframe>",
      "<noscript>",
      "<plaintext>",
      "&#0;&#x110000;&#xd800;&amp;amp;&bogus;&",
      "</",
      "<>",
      "<\u0000x>",
      "      ",
      "\u00a0\u200b",
    ],
    nests: [
      ["<div>", "</div>"],
      ["<b>", ""],
      ["<p>", ""],
      ["<table><tr><td>", ""],
      ["<ul><li>", "</li></ul>"],
      ["<h1>", "</h1>"],
      ["<pre>", "</pre>"],
      ["<span ", ">"],
      ["<!--", "-->"],
      ["<b> ", "</b>"],
    ],
  },
  text: {
    piece: LINES,
    words: [
      "\n",
      " ",
      "\t\t",
      "word ",
      "A. ",
      "a.b.c.d ",
      "(((",
      "}}}\n",
      "=".repeat(80),
      "0",
      "-",
      "\u3000",
      "。",
      "ﬁ",
      "İ",
    ],
    nests: [
      ["(", ")"],
      ["{", "}"],
      [" ", ""],
      ["\n", ""],
      ["a", ""],
      [". ", ""],
    ],
  },
} as const satisfies Readonly<Record<string, Grammar>>;

export type GrammarName = keyof typeof GRAMMARS;

type Edit = (pieces: string[], at: number, chance: Chance, grammar: Grammar) => void;

const EDITS: readonly [Edit, ...Edit[]] = [
  function drop(pieces, at, chance) {
    pieces.splice(at, chance.size(pieces.length));
  },
  function duplicate(pieces, at) {
    pieces.splice(at, 0, pieces[at] ?? "");
  },
  function repeat(pieces, at, chance) {
    pieces.splice(at, 0, (pieces[at] ?? "").slice(0, 100).repeat(chance.bulk(REPEATS_MAX)));
  },
  function move(pieces, at, chance) {
    pieces.splice(chance.below(pieces.length), 0, ...pieces.splice(at, chance.size(8)));
  },
  function reverse(pieces) {
    pieces.reverse();
  },
  function put(pieces, at, chance, { words }) {
    pieces.splice(at, chance.below(2), chance.of(words));
  },
  function putMany(pieces, at, chance, { words }) {
    pieces.splice(at, 0, chance.of(words).repeat(chance.bulk(REPEATS_MAX)));
  },
  function join(pieces, at) {
    pieces[at] = (pieces[at] ?? "").trimEnd();
  },
  function indent(pieces, at, chance) {
    pieces[at] = `${" ".repeat(chance.size(200))}${pieces[at] ?? ""}`;
  },
  function halve(pieces, at, chance) {
    pieces[at] = (pieces[at] ?? "").slice(chance.below(pieces[at]?.length ?? 0));
  },
];

/** Text with pieces of its kind dropped, doubled, moved, replaced, or nested deep. */
export function mutatePieces(text: string, name: GrammarName, chance: Chance): string {
  const grammar: Grammar = GRAMMARS[name];
  const pieces: string[] = text.match(grammar.piece) ?? [];
  for (let left = chance.size(8); left > 0; left--) {
    const at = chance.below(pieces.length);
    if (chance.happens(NESTING_SHARE)) {
      const [open, close] = chance.of(grammar.nests);
      const depth = chance.size(NESTING);
      pieces[at] = `${open.repeat(depth)}${(pieces[at] ?? "").trimEnd()}${close.repeat(depth)}\n`;
    } else chance.of(EDITS)(pieces, at, chance, grammar);
  }
  return pieces.join("");
}
