import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { shownText } from "../../core/text.ts";
import type { TokenCounter } from "../../core/token-counter.ts";
import type { Chunk, SourceDocument, TextFormat } from "../../core/types.ts";
import { chunkDocument } from "./chunk-document.ts";
import { CHUNKER_NAME } from "./chunker-name.ts";
import { chunkLimits } from "./limits.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);

/** A real vocabulary, without importing a sibling folder. */
let counter: TokenCounter;
/** Counts words and signs: exact numbers for small cases. */
const words: TokenCounter = {
  name: "words",
  count: (text) => text.match(/\S+/g)?.length ?? 0,
  encode: (text) => (text.match(/\S+/g) ?? []).map((_, index) => index),
};
beforeAll(async () => {
  const { countTokens, encode } = await import("gpt-tokenizer/encoding/o200k_harmony");
  const plain = { disallowedSpecial: new Set<string>() };
  counter = { name: "o200k", count: (text) => countTokens(text, plain), encode: (text) => encode(text, plain) };
});

function documentOf(text: string, format: TextFormat = "markdown"): SourceDocument {
  return { id: "notes/a.md", uri: "/x/notes/a.md", title: "A", format, text, metadata: { path: "notes/a.md" } };
}

/** Checks what must hold for every document, and returns the chunks. */
function chunk(text: string, format: TextFormat = "markdown", targetTokens = 512, by: TokenCounter = counter): Chunk[] {
  const chunks = chunkDocument(documentOf(text, format), { counter: by, targetTokens });
  const limits = chunkLimits(targetTokens);
  expect(chunks.map((piece) => piece.text).join("")).toBe(text);
  expect(new Set(chunks.map((piece) => piece.id)).size).toBe(chunks.length);
  let position = 0;
  for (const [index, piece] of chunks.entries()) {
    expect([piece.start, piece.index, piece.count]).toEqual([position, index, chunks.length]);
    expect(piece.text).toBe(text.slice(piece.start, piece.end));
    expect(piece.end).toBeGreaterThan(piece.start);
    expect(piece.tokens).toBe(by.count(shownText(piece.text)));
    expect(piece.tokens).toBeLessThanOrEqual(limits.chunkTokensMax);
    expect(piece.line).toBe(text.slice(0, piece.start).split("\n").length);
    const before = text.charCodeAt(piece.start - 1);
    const after = text.charCodeAt(piece.start);
    expect(before >= 0xd800 && before <= 0xdbff && after >= 0xdc00 && after <= 0xdfff).toBe(false);
    position = piece.end;
  }
  expect(position).toBe(text.length);
  return chunks;
}

const prose = (count: number, word = "word") =>
  Array.from({ length: count }, (_, index) => `${word}${index}`).join(" ");

describe("small documents", () => {
  it("gives no chunk for no text and one for a little", () => {
    expect(chunk("")).toEqual([]);
    const [only, ...rest] = chunk("# Title\n\nText.\n\n## Sub\n\nMore.\n");
    expect(rest).toEqual([]);
    expect(only).toMatchObject({
      documentId: "notes/a.md",
      uri: "/x/notes/a.md",
      title: "A",
      headings: ["Title"],
      line: 1,
      metadata: { path: "notes/a.md" },
    });
  });

  it("keeps white space, alone or around", () => {
    for (const text of [" ", "\n\n\n", "  \n a \n  ", "\u3000\u00a0"]) expect(chunk(text).length).toBe(1);
  });

  it("has a name that says how it splits", () => {
    expect(CHUNKER_NAME).toBe("structure-512-v1");
  });

  it.each([0, 31, 33.5, 10_000, Number.NaN])("refuses the target %s", (targetTokens) => {
    expect(() => chunkDocument(documentOf("x"), { counter: words, targetTokens })).toThrow(/whole number/);
  });
});

describe("headings", () => {
  const section = (marks: string, name: string, count: number) => `${marks} ${name}\n\n${prose(count, name)}.\n\n`;

  it("begins chunks at sections that do not fit together", () => {
    const text = section("#", "A", 20) + section("##", "B", 60) + section("##", "C", 60) + section("#", "D", 70);
    const chunks = chunk(text, "markdown", 64, words);
    expect(chunks.map((piece) => [piece.text.slice(0, 4), piece.headings])).toEqual([
      ["# A\n", ["A"]],
      ["## B", ["A", "B"]],
      ["## C", ["A", "C"]],
      ["# D\n", ["D"]],
      ...chunks.slice(4).map((piece) => [piece.text.slice(0, 4), ["D"]]),
    ]);
  });

  it("joins small neighbouring sections under one parent", () => {
    const text = section("#", "A", 200) + ["B", "C", "D", "E"].map((name) => section("##", name, 20)).join("");
    const starts = chunk(text, "markdown", 64, words).map((piece) => piece.text.trim().split("\n")[0]);
    expect(starts.filter((start) => start?.startsWith("## "))).toEqual(["## B", "## D"]);
  });

  it("never ends a chunk with a heading whose text comes later", () => {
    const text = `# One\n\n## Two\n\n### Three\n\n${prose(300)}\n\n# Four\n## Five\n${prose(100)}`;
    const chunks = chunk(text, "markdown", 64, words);
    for (const piece of chunks.slice(0, -1)) expect(piece.text.trimEnd().split("\n").at(-1)).not.toMatch(/^#/);
    expect(chunks[0]?.text).toMatch(/^# One\n\n## Two\n\n### Three\n\nword0 /);
    expect(chunks[1]?.headings).toEqual(["One", "Two", "Three"]);
    expect(chunks.some((piece) => piece.text.startsWith("# Four\n## Five\nword0"))).toBe(true);
  });

  it("reads underlined headings, plain text only, and none in fences or front matter", () => {
    const text = `---\ntitle: x\n---\n**Big** [one](y) \`z\`\n====\n\n\`\`\`\n# no\n\`\`\`\n\n> # quoted\n\n${prose(100)}\n\n## Two ##\n\n${prose(100)}`;
    const paths = chunk(text, "markdown", 64, words).map((piece) => piece.headings);
    expect(paths[0]).toEqual([]);
    expect(new Set(paths.slice(1).map((path) => path.join("/")))).toEqual(new Set(["Big one z", "Big one z/Two"]));
  });

  it("carries front matter along with the first section", () => {
    const [first] = chunk(`---\ntitle: x\n---\n# A\n\n${prose(200)}`, "markdown", 64, words);
    expect(first?.text).toMatch(/^---\ntitle: x\n---\n# A\n\nword0/);
  });

  it("bounds headings that are no headings", () => {
    const text = `# ${prose(500)}\n\n${"# a\n".repeat(300)}\ntext`;
    expect(chunk(text, "markdown", 64, words).length).toBeGreaterThan(8);
  });
});

describe("blocks", () => {
  const fence = (lines: number) =>
    `\`\`\`js\n${Array.from({ length: lines }, (_, line) => `call(${line});`).join("\n")}\n\`\`\`\n`;
  const table = (rows: number) =>
    `| a | b |\n|---|---|\n${Array.from({ length: rows }, (_, row) => `| ${row} | x |`).join("\n")}\n`;

  it("keeps fences and tables whole above the target, up to the limit", () => {
    for (const block of [fence(80), table(14)]) {
      const chunks = chunk(`${prose(50)}\n\n${block}\n${prose(50)}`, "markdown", 64, words);
      expect(chunks.filter((piece) => piece.text.includes(block.trim())).length).toBe(1);
    }
  });

  it("splits larger ones at lines", () => {
    for (const block of [fence(400), table(200)]) {
      const chunks = chunk(`Before.\n\n${block}\nAfter.`, "markdown", 64, words);
      expect(chunks.length).toBeGreaterThan(3);
      for (const piece of chunks) expect(piece.start === 0 || block.length === 0 || piece.text).toBeTruthy();
      for (const piece of chunks.slice(0, -1)) expect(piece.text.endsWith("\n")).toBe(true);
    }
  });

  it("splits lists at items, paragraphs at sentences, sentences at words", () => {
    const list = Array.from({ length: 40 }, (_, item) => `- item ${item} of the list\n  continued here`).join("\n");
    for (const piece of chunk(list, "markdown", 32, words)) expect(piece.text).toMatch(/^- item/);
    const sentences = Array.from(
      { length: 40 },
      (_, item) => `Dr. Smith (No. ${item}) said: it works, e.g. here!`,
    ).join(" ");
    for (const piece of chunk(sentences, "text", 32, words)) expect(piece.text).toMatch(/^Dr\. .*! ?$/s);
    for (const piece of chunk(prose(500), "text", 32, words)) expect(piece.text).toMatch(/^word/);
  });

  it("splits logs at lines and wrapped prose at sentences", () => {
    const log = Array.from({ length: 60 }, (_, line) => `2024-05-01 10:00:${line} INFO Started. Ready now`).join("\n");
    for (const piece of chunk(log, "text", 32, words)) expect(piece.text).toMatch(/^2024-/);
    const wrapped = Array.from({ length: 40 }, () => "This sentence is wrapped\nover two lines of text.").join(" ");
    for (const piece of chunk(wrapped, "text", 32, words)) expect(piece.text).toMatch(/^This.*\.\s*$/s);
  });

  it("splits Chinese without spaces at its full stops", () => {
    const text = "这是一个句子，没有空格。".repeat(200);
    for (const piece of chunk(text, "text", 128)) expect(piece.text.endsWith("。")).toBe(true);
  });

  it("splits code before functions, then inside at the outermost lines", () => {
    const body = (lines: number) => Array.from({ length: lines }, (_, line) => `  call${line}();\n`).join("");
    const code = Array.from(
      { length: 12 },
      (_, index) => `// about f${index}\nfunction f${index}() {\n${body(10)}\n${body(5)}}\n`,
    ).join("\n");
    for (const piece of chunk(code, "code", 64, words)) expect(piece.text).toMatch(/^\/\/ about f/);
    const large = `class A {\n${Array.from({ length: 9 }, (_, index) => `  m${index}() {\n${body(30)}  }\n`).join("\n")}}\n`;
    for (const piece of chunk(large, "code", 64, words).slice(1)) expect(piece.text).toMatch(/^ {2}m\d/);
    const json = JSON.stringify(
      Array.from({ length: 50 }, (_, index) => ({ index, a: { b: index } })),
      null,
      2,
    );
    for (const piece of chunk(json, "code", 64, words).slice(1)) expect(piece.text).toMatch(/^ {2}\{/);
  });

  it("keeps a row whole, longer ones included", () => {
    expect(chunk(prose(90), "row", 64, words).length).toBe(1);
    expect(chunk(prose(100), "row", 64, words).length).toBe(2);
  });

  it("leaves no small rest at the end", () => {
    const text = Array.from({ length: 66 }, (_, index) => `Sentence number ${index} is this.`).join(" ");
    const sizes = chunk(text, "text", 64, words).map((piece) => piece.tokens);
    expect(Math.min(...sizes)).toBeGreaterThan(32);
  });
});

describe("hostile text", () => {
  it.each([
    ["> levels", ">".repeat(100_000)],
    ["list levels", "- ".repeat(100_000)],
    ["nested lists", Array.from({ length: 1_500 }, (_, depth) => `${"  ".repeat(depth)}- x`).join("\n")],
    ["brackets", "[".repeat(100_000)],
    ["fences", "```\n".repeat(20_000)],
    ["dots", ". ".repeat(50_000)],
    ["only dots", ".".repeat(100_000)],
    ["one word", "a".repeat(20_000)],
    ["spaces", `a${" ".repeat(300_000)}b${"\n".repeat(100_000)}c`],
    ["emoji", "😀".repeat(20_000)],
    ["lone surrogates", "\ud83d".repeat(5_000)],
    ["empty headings", "#\n".repeat(20_000)],
    ["stairs", Array.from({ length: 1_500 }, (_, depth) => `${" ".repeat(depth)}x\n`).join("\n")],
  ])("splits %s in bounded time", (_name, text) => {
    for (const format of ["markdown", "text", "code"] as const) {
      const started = performance.now();
      chunk(text, format, 512, linear);
      expect(performance.now() - started, format).toBeLessThan(10_000);
    }
  });
  /** Four bytes a token, runs of white space one: the cost of the real vocabulary is not what is measured here. */
  const linear: TokenCounter = {
    name: "linear",
    count: (text) => Math.ceil(Buffer.byteLength(text.replace(/\s+/g, " ")) / 4),
    encode: () => [],
  };
});

const markup = fc.constantFrom(
  ..."# |## |### |\n|\n\n|- |  - |1. |> |```|```js\n|~~~|    |\t|| a | b |\n|---|---|\n|===\n|---\n|. |! |word |Word. |{|}|<div>|[a]: b\n|中文。|😀|\ud800|\udc00|\u2028|\u00a0|\0|é|***|\\".split(
    "|",
  ),
);

describe("every text", () => {
  const format = fc.constantFrom<TextFormat>("markdown", "text", "code", "row");
  const target = fc.constantFrom(32, 48, 512);

  it("is tiled within the limits when it looks like Markdown", () => {
    const property = fc.property(
      fc.array(markup, { maxLength: 400, size: "max" }),
      format,
      target,
      (parts, kind, tokens) => {
        chunk(parts.join(""), kind, tokens);
      },
    );
    fc.assert(property, { seed: 5, numRuns: 120 * scale });
  });

  it("is tiled within the limits when it is any string", () => {
    const text = fc
      .array(fc.string({ unit: "binary", maxLength: 300, size: "max" }), { maxLength: 8 })
      .map((parts) => parts.join(""));
    const property = fc.property(text, format, target, (content, kind, tokens) => {
      chunk(content, kind, tokens);
    });
    fc.assert(property, { seed: 6, numRuns: 40 * scale });
  });

  it("has heading paths in the order of the document, and no chunk that ends with a heading before its text", () => {
    const level = fc.integer({ min: 1, max: 4 });
    const part = fc.record({ level, count: fc.nat(120) });
    const property = fc.property(fc.array(part, { minLength: 1, maxLength: 20 }), (parts) => {
      const text = parts.map((one, index) => `${"#".repeat(one.level)} h${index}\n\n${prose(one.count)}\n\n`).join("");
      const chunks = chunk(text, "markdown", 64, words);
      const numbers = chunks.map((piece) => Number((piece.headings.at(-1) ?? "h-1").slice(1)));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      for (const piece of chunks) {
        const own = /^#+ h(\d+)/.exec(piece.text)?.[1];
        if (own !== undefined) expect(piece.headings.at(-1)).toBe(`h${own}`);
        const last = /(?:^|\n)#+ h(\d+)\s*$/.exec(piece.text)?.[1];
        if (last !== undefined) expect(parts[Number(last)]?.count).toBe(0);
      }
    });
    fc.assert(property, { seed: 8, numRuns: 100 * scale });
  });

  it("gives few tiny chunks", () => {
    const part = fc.record({ level: fc.integer({ min: 1, max: 4 }), count: fc.integer({ min: 1, max: 60 }) });
    const property = fc.property(fc.array(part, { minLength: 40, maxLength: 80 }), (parts) => {
      const text = parts.map((one, index) => `${"#".repeat(one.level)} h${index}\n\n${prose(one.count)}\n\n`).join("");
      const chunks = chunk(text, "markdown", 128, words);
      const tiny = chunks.filter((piece) => piece.tokens <= 16).length;
      expect(tiny).toBeLessThanOrEqual(1 + chunks.length / 20);
    });
    fc.assert(property, { seed: 9, numRuns: 30 * scale });
  });
});

describe("cost", () => {
  it("tokenizes at most about twice the text", () => {
    const paragraph = (index: number) =>
      `## Part ${index}\n\n${prose(150 + (index % 7) * 90, "token")}. ${prose(40)}.\n\n`;
    const text = Array.from({ length: 60 }, (_, index) => paragraph(index)).join("");
    for (const [kind, content] of [
      ["markdown", text],
      ["text", text.replaceAll("\n\n", " ")],
      [
        "code",
        Array.from(
          { length: 400 },
          (_, index) => `def f${index}(a, b):\n    c = a + b * ${index}\n    return c\n\n`,
        ).join(""),
      ],
      ["text", "这是一个没有空格的句子，继续写下去。".repeat(800)],
    ] as const) {
      let units = 0;
      const counting: TokenCounter = {
        ...counter,
        count(part) {
          units += part.length;
          return counter.count(part);
        },
      };
      chunkDocument(documentOf(content, kind), { counter: counting });
      expect(units / content.length, kind).toBeLessThan(2.4);
    }
  });
});
