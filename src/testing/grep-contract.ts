import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ErrorCode, WinnowError } from "../core/errors.ts";
import type { GrepEngine, GrepEngineName, GrepRequest, GrepResult } from "../retrieval/grep/grep.ts";
import { openGrep } from "../retrieval/grep/open-grep.ts";
import { writeGrepSegment } from "../retrieval/grep/segment.ts";

const TEXTS: Readonly<Record<string, string>> = {
  "a.md": "alpha beta\nGamma (x) alpha\n\n  tail end\n",
  "b.md": "second\nalpha\nend",
  "c.md": "été 😀 naïve e\u0301t\u00e9 😀end\nÄRGER 漢字 word😀\n",
  "d.ts": "function getUser(id) { return cache[id] && -1; }\nERR_1234-AB ~~ a#b <tag>\n",
  "e.txt": "",
  "f.txt": "nul\0inside\nlone \ud800 x",
  "g.txt": "\n\n  indented first",
  "z.md": "alpha in a forgotten document",
};

/** Every grep engine behaves like this. */
export function describeGrepContract(engine: GrepEngineName): void {
  describe(`grep contract: ${engine}`, () => {
    let root = "";
    let grep: GrepEngine;

    beforeAll(async () => {
      root = await mkdtemp(join(tmpdir(), "winnow-grep-"));
      const all = Object.entries(TEXTS).map(([id, text]) => ({ id, text }));
      // Two segments, ids crossing between them, an empty segment in the middle, and an old version of a.md.
      await writeGrepSegment(join(root, "0"), [
        ...all.filter((_, i) => i % 2 === 1),
        { id: "a.md", text: "alpha old" },
      ]);
      await writeGrepSegment(join(root, "1"), []);
      await writeGrepSegment(
        join(root, "2"),
        all.filter((_, i) => i % 2 === 0),
      );
      grep = openGrep({
        segments: ["0", "1", "2"].map((name) => ({ folder: join(root, name) })),
        isLive: (id, segmentIndex) => id !== "z.md" && !(id === "a.md" && segmentIndex === 0),
        engine,
      });
    });
    afterAll(() => rm(root, { recursive: true, force: true }));

    describeMatching(() => grep);
    describeRefusals(() => grep);
    const open: OpenDocuments = async (name, documents, timeoutMs) => {
      const folder = join(root, name);
      await writeGrepSegment(folder, documents);
      return openGrep({
        segments: [{ folder }],
        isLive: () => true,
        engine,
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
      });
    };
    describeLimits(() => grep, open);
    describeStamina(() => grep, open);
  });
}

/** `id:start:text` for every match, which also proves that the offsets are right. */
async function found(grep: GrepEngine, request: GrepRequest): Promise<string[]> {
  const result = await grep.grep(request);
  expect(result.matchesTotal).toBe(result.matches.length);
  expect(result.documentsTotal).toBe(new Set(result.matches.map((match) => match.documentId)).size);
  expect(result.truncated).toBe(false);
  return result.matches.map(
    ({ documentId, start, end }) => `${documentId}:${start}:${TEXTS[documentId]?.slice(start, end)}`,
  );
}

/** Name, pattern, and what it finds as `id:start:text`. */
const MATCHING: [string, string, string[]][] = [
  [
    "across segments, by document id, dead documents left out",
    "alpha",
    ["a.md:0:alpha", "a.md:21:alpha", "b.md:7:alpha"],
  ],
  ["^ at lines", "^(alpha|second|function)", ["a.md:0:alpha", "b.md:0:second", "b.md:7:alpha", "d.ts:0:function"]],
  ["^ at the first line only where it is one", "^second", ["b.md:0:second"]],
  [
    "$ at lines and at the end",
    "(alpha|end)$",
    ["a.md:21:alpha", "a.md:35:end", "b.md:7:alpha", "b.md:13:end", "c.md:20:end"],
  ],
  ["whole lines", "^alpha$", ["b.md:7:alpha"]],
  [". stays on a line", "alpha.*", ["a.md:0:alpha beta", "a.md:21:alpha", "b.md:7:alpha"]],
  [
    "every line",
    "^.+$",
    [
      "a.md:0:alpha beta",
      "a.md:11:Gamma (x) alpha",
      "a.md:28:  tail end",
      "b.md:0:second",
      "b.md:7:alpha",
      "b.md:13:end",
      "c.md:0:été 😀 naïve e\u0301t\u00e9 😀end",
      "c.md:24:ÄRGER 漢字 word😀",
      "d.ts:0:function getUser(id) { return cache[id] && -1; }",
      "d.ts:49:ERR_1234-AB ~~ a#b <tag>",
      "f.txt:0:nul\0inside",
      "f.txt:11:lone \ud800 x",
      "g.txt:2:  indented first",
    ],
  ],
  ["white space spans lines", "beta\\s+Gamma", ["a.md:6:beta\nGamma"]],
  ["line ends", "second\\nalpha\\n", ["b.md:0:second\nalpha\n"]],
  ["a line end written as itself", "second\nalpha", ["b.md:0:second\nalpha"]],
  ["never across documents", "(?s)(end|tag>)\\s+(second|alpha|lone)", []],
  ["(?s) lets . span lines", "(?s)second.alpha", ["b.md:0:second\nalpha"]],
  ["a leading line end is real or none", "\\n+\\s*\\w+ first", ["g.txt:0:\n\n  indented first"]],
  ["optional white space at a document's start", "\\s*second", ["b.md:0:second"]],
  ["needed white space is not made up", "\\s+second", []],
  ["alternation of any nesting", "beta|tail|(?:Gamma \\(x\\))", ["a.md:6:beta", "a.md:11:Gamma (x)", "a.md:30:tail"]],
  ["inline flags", "(?i)GAMMA", ["a.md:11:Gamma"]],
  ["scoped flags", "(?i:GAM)ma", ["a.md:11:Gamma"]],
  ["scoped flags are scoped", "(?i:GAM)MA", []],
  ["named groups", "(?P<first>be)(?<second>ta)", ["a.md:6:beta"]],
  ["offsets behind astral characters", "naïve|end", ["a.md:35:end", "b.md:13:end", "c.md:7:naïve", "c.md:20:end"]],
  ["astral characters themselves", "😀", ["c.md:4:😀", "c.md:18:😀", "c.md:37:😀"]],
  ["one . is one character", "^ÄRGER .. word.$", ["c.md:24:ÄRGER 漢字 word😀"]],
  ["combining marks", "e\u0301t", ["c.md:13:e\u0301t"]],
  ["\\w, \\d and \\s are Unicode", "\\b?ï\\w+\\s", ["c.md:9:ïve "]],
  ["Unicode classes", "\\p{Han}+", ["c.md:30:漢字"]],
  ["code points", "\\u{1F600}end|\\x{6f22}|\\u00C4", ["c.md:18:😀end", "c.md:24:Ä", "c.md:30:漢"]],
  ["surrogate pairs", "\\ud83d\\ude00end", ["c.md:18:😀end"]],
  ["braces and brackets of code", "{ return cache\\[id] && -1; }", ["d.ts:21:{ return cache[id] && -1; }"]],
  [
    "classes with signs",
    "[[&~#<-]{1,2}",
    ["d.ts:35:[", "d.ts:40:&&", "d.ts:43:-", "d.ts:57:-", "d.ts:61:~~", "d.ts:65:#", "d.ts:68:<"],
  ],
  ["a leading hyphen", "-1;", ["d.ts:43:-1;"]],
  ["a pattern like an option", "--help|-AB", ["d.ts:57:-AB"]],
  ["escaped signs of other dialects", "\\<tag\\> ?|\\~\\~\\ ", ["d.ts:61:~~ ", "d.ts:68:<tag>"]],
  ["lazy", "alpha.*?a", ["a.md:0:alpha beta"]],
  ["what can be empty gives what is not", "x*", ["a.md:18:x", "f.txt:18:x"]],
  ["what is always empty gives nothing", "^|$|\\b", []],
  ["what a NUL became", "nul.inside", ["f.txt:0:nul\0inside"]],
  ["behind a lone surrogate", "x$", ["f.txt:18:x"]],
  ["no match", "nowhere", []],
];

function describeMatching(engine: () => GrepEngine): void {
  test.each(MATCHING)("%s", async (_, pattern, expected) => {
    expect(await found(engine(), { pattern })).toEqual(expected);
  });

  test("ignoreCase", async () => {
    expect(await found(engine(), { pattern: "gamma|ärger", ignoreCase: true })).toEqual([
      "a.md:11:Gamma",
      "c.md:24:ÄRGER",
    ]);
    expect(await found(engine(), { pattern: "gamma|ärger" })).toEqual([]);
  });

  test("accept", async () => {
    expect(await found(engine(), { pattern: "alpha", accept: (id) => id !== "a.md" })).toEqual(["b.md:7:alpha"]);
    expect(await found(engine(), { pattern: "alpha", accept: () => false })).toEqual([]);
  });

  test("line numbers and text", async () => {
    const { matches } = await engine().grep({ pattern: "tail|word|inside|alpha$" });
    expect(matches.map(({ documentId, line, lineText }) => [documentId, line, lineText])).toEqual([
      ["a.md", 2, "Gamma (x) alpha"],
      ["a.md", 4, "  tail end"],
      ["b.md", 2, "alpha"],
      ["c.md", 2, "ÄRGER 漢字 word😀"],
      ["f.txt", 1, "nul\ufffdinside"],
    ]);
  });
}

async function failureOf(work: Promise<GrepResult>): Promise<WinnowError> {
  const outcome = await work.catch((error: unknown) => error);
  if (WinnowError.isInstance(outcome)) return outcome;
  throw new Error("Not refused.", { cause: outcome });
}

function describeRefusals(engine: () => GrepEngine): void {
  test.each<[string, RegExp]>([
    ["", /empty/],
    ["x".repeat(1_001), /longer than 1000/],
    ["a\0b", /NUL/],
    ["a\\x00", /NUL/],
    ["(?=a)", /Look-around/],
    ["(?<!a)b", /Look-around/],
    ["(a)\\1", /Back-references/],
    ["(?>a)", /group/],
    ["(?-m)^a", /flag -m/],
    ["(a", /not closed/],
    ["a)|(b", /no opening/],
    ["[a", /not closed/],
    ["[z-a]", /range/],
    ["*a", /nothing to repeat/],
    ["a|+", /nothing to repeat/],
    ["a++", /quantifier/],
    ["a{2}{3}", /quantifier/],
    ["a{3,2}", /repetition/],
    ["a{5000}", /repetition/],
    ["((a{1000}){1000}){1000}", /large/],
    ["\\Afoo", /\\A is not supported/],
    ["foo\\K", /\\K is not supported/],
    ["foo\\", /ends with a backslash/],
    ["\\p{Nonsense}", /property|range|class/i],
    ["\\ud800", /not a character/],
    ["(".repeat(200) + ")".repeat(200), /deep/],
  ])("refuses %j", async (pattern, message) => {
    const error = await failureOf(engine().grep({ pattern }));
    expect(error.code).toBe<ErrorCode>("invalid_pattern");
    expect(error.message).toMatch(message);
    // One short sentence for a model, with something that it can do.
    expect(error.message).toMatch(/^[^\n]{5,200}\.$/);
    expect(error.hint).toMatch(/^[^\n]{5,200}\.$/);
  });

  test.each([{ matchesMax: 0 }, { matchesMax: 1.5 }, { matchesMax: 10_001 }, { documentsMax: 0 }])(
    "refuses %j",
    async (limits) => {
      expect((await failureOf(engine().grep({ pattern: "a", ...limits }))).code).toBe<ErrorCode>("invalid_argument");
    },
  );
}

type OpenDocuments = (
  name: string,
  documents: { id: string; text: string }[],
  timeoutMs?: number,
) => Promise<GrepEngine>;

function describeLimits(grep: () => GrepEngine, open: OpenDocuments): void {
  test("returns the first matches and counts all", async () => {
    const result = await grep().grep({ pattern: "alpha", matchesMax: 1 });
    expect(result).toMatchObject({ matchesTotal: 3, documentsTotal: 2, truncated: false });
    expect(result.matches.map((match) => match.documentId)).toEqual(["a.md"]);
    const others = await grep().grep({ pattern: "alpha", documentsMax: 1 });
    expect(others.matches.map((match) => match.start)).toEqual([0, 21]);
  });

  test("stops counting at 100,000", async () => {
    const many = await open("many", [
      { id: "a", text: "ab\n".repeat(100_000) },
      { id: "b", text: "a" },
    ]);
    const result = await many.grep({ pattern: "[ab]", matchesMax: 10_000 });
    expect(result).toMatchObject({ matchesTotal: 100_000, documentsTotal: 1, truncated: true });
    expect(result.matches).toHaveLength(10_000);
    expect(result.matches.at(-1)).toMatchObject({ start: 14_998, end: 14_999, line: 5_000, lineText: "ab" });
  });

  test("long lines are shown around the match", async () => {
    const long = await open("long", [{ id: "a", text: `first\n${"😀".repeat(500)}needle${"😀".repeat(500)}\nlast` }]);
    const [match] = (await long.grep({ pattern: "needle" })).matches;
    expect(match).toMatchObject({ start: 1_006, end: 1_012, line: 2 });
    expect(match?.lineText.length).toBeLessThanOrEqual(400);
    expect(match?.lineText).toContain("needle");
    expect(Buffer.from(match?.lineText ?? "").toString()).toBe(match?.lineText);
    const whole = await long.grep({ pattern: "(?s).+" });
    expect(whole.matches[0]).toMatchObject({ start: 0, end: 2_017, line: 1, lineText: "first" });
  });
}

function describeStamina(grep: () => GrepEngine, open: OpenDocuments): void {
  test.each(["(a+)+$", "(a|aa)+$", "(.*)*x", `${"a?".repeat(30) + "a".repeat(30)}!`])(
    "%s takes linear time",
    async (pattern) => {
      const hostile = await open("hostile", [{ id: "a", text: `${"a".repeat(5_000)}!` }]);
      const start = performance.now();
      await hostile.grep({ pattern });
      expect(performance.now() - start).toBeLessThan(5_000);
    },
  );

  test("the time limit gives what was found, truncated and noticed", async () => {
    const slow = await open(
      "slow",
      Array.from({ length: 300 }, (_, i) => ({ id: `${i}`, text: "ab".repeat(100_000) })),
      1,
    );
    const result = await slow.grep({ pattern: "(?:[ab]+[ab]*)+c" });
    expect(result).toMatchObject({ truncated: true, notices: [{ code: "grep_timeout" }] });
  });

  test("cancelling", async () => {
    const cancelled = await failureOf(grep().grep({ pattern: "a", signal: AbortSignal.abort() }));
    expect(cancelled.code).toBe<ErrorCode>("cancelled");
    const slow = await open(
      "slow2",
      Array.from({ length: 300 }, (_, i) => ({ id: `${i}`, text: "ab".repeat(50_000) })),
    );
    const controller = new AbortController();
    const start = performance.now();
    const work = failureOf(slow.grep({ pattern: "(?:[ab]+[ab]*)+c|[cd]{1,500}$", signal: controller.signal }));
    setTimeout(() => controller.abort(), 20);
    expect((await work).code).toBe<ErrorCode>("cancelled");
    expect(performance.now() - start).toBeLessThan(5_000);
  });
}
