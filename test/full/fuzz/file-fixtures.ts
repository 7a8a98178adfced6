/** A file of every kind that is read, small enough to be changed ten thousand times. */
export const FILE_FIXTURES = {
  markdown: [
    `---
title: Tide tables
date: 2026-05-14
tags: [tides, harbour]
repository: core
modified: 2026-05-15T10:00:00Z
owner: {team: harbour, since: 2024}
---
# Tide tables

The table is **computed** once a day from [the almanac](https://example.org/a "A").
It assumes 31 days; see \`src/tides.ts\`.

## Limits

- five attempts
  - then a pause
1. first
2. second

| month | days |
| ----- | ---- |
| March | 31   |

\`\`\`ts
const days = 31;
\`\`\`

> Quoted, and <b>inline</b> &amp; marked.

Underlined
----------

Ends here.[^1]

[^1]: A note.
`,
    "# Only\n\nOne paragraph.\n",
    `---\nprivate: false\nlist:\n  - a\n  - b: [1, 2, {c: d}]\ntext: |\n  block\n  of text\n...\nNo heading at all.\n`,
  ],
  text: [
    "The walrus lives in hall nine. It was moved there in March.\n\nDr. Amber said so, e.g. on 2026-03-01.\n",
    "日本語の文章です。もう一つの文。\n\nПривет, мир. Ünïcode ½ ﬁ.\n",
    `${"word ".repeat(300)}\n`,
  ],
  html: [
    `<!doctype html><html><head><title>Tides &amp; moons</title><style>p{}</style></head><body>
<nav>Menu</nav><h1>Tides</h1><p>Twice <b>a day</b>, see <a href="a.html">there</a>.<p>Unclosed
<ul><li>one<li>two<ul><li>inner</ul></ul><table><tr><th>a<th>b<tr><td>1<td>2</table>
<pre>code
  kept</pre><script>let x = "</p>";</script><!-- gone --></body></html>`,
    "<p>No head.</p><h2>Part</h2><div><div><div>Deep</div></div></div>",
  ],
  json: [
    `[{"_id":"a","title":"One","text":"Some text.","tags":["x","y"],"n":1,"at":"2026-05-14"},{"id":7,"body":"More.","nested":{"a":[1,{"b":null}]}}]`,
    `{"name":"tides","version":"1.2.0","list":[1,2.5,-3e4,true,null],"deep":{"a":{"b":{"c":"d"}}},"text":"a\\nb\\u00e9"}`,
  ],
  "json-lines": [
    `{"_id":"1","title":"One","text":"The first row."}\n{"_id":"2","text":"The second.","date":"2026-05-14","tags":["a"]}\n"a string"\n\n{"id":3,"content":"Third","n":[1,2]}\n`,
  ],
  csv: [
    `id,title,text,date\n1,One,"The first, with a comma",2026-05-14\n2,Two,"A ""quoted"" word\nand a line",\n3,Three,plain,2026-05-16,more\n`,
    "name;value\nAmber;12\nBasin;13\n",
  ],
  tsv: ["id\ttext\n1\tThe first\n2\tThe second\n"],
  code: [
    `import { days } from "./days.ts";\n\n/** Counts. */\nexport function tides(month) {\n  if (month > 11) throw new Error("No such month");\n  return days(month) * 2;\n}\n\nclass Moon {\n  #phase = 0;\n  turn() {\n    this.#phase++;\n  }\n}\n`,
  ],
  changelog: [
    `# Changelog\n\nAll notable changes.\n\n## [Unreleased]\n\n## [1.2.0] - 2026-05-14\n\n### Added\n\n- Tides.\n\n### Fixed\n\n- Moons ([#12](https://example.org/12)).\n\n## v1.1.0 (2026-04-01) [YANKED]\n\n- Nothing.\n\n\`\`\`\n## 0.9.0\n\`\`\`\n\n## 1.0.0 / 2026-01-02\n`,
  ],
  ignore: ["# comment\n*.log\n!keep.log\n/build/\nnode_modules\n**/deep/*.md\n[ab]?c\nfoo\\ bar \n"],
} as const;
