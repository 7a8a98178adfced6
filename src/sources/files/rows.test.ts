import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SourceDocument } from "../../core/types.ts";
import type { ReadOutcome } from "../source.ts";
import { createFilesSource } from "./files-source.ts";
import type { FilesLimits } from "./limits.ts";

let base: string;
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "winnow-rows-"));
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

function read(key: string, content: string, limits: Partial<FilesLimits> = {}): Promise<ReadOutcome> {
  writeFileSync(join(base, key), content);
  const source = createFilesSource({ roots: [base], base, limits });
  return source.read({ key, location: join(base, key), bytes: 1, mtimeMs: 0 }, new AbortController().signal);
}

async function rows(key: string, content: string): Promise<readonly SourceDocument[]> {
  const outcome = await read(key, content);
  if (!("documents" in outcome)) throw new Error(JSON.stringify(outcome.skipped));
  return outcome.documents;
}

async function notes(key: string, content: string): Promise<readonly string[]> {
  const outcome = await read(key, content);
  return "notes" in outcome ? outcome.notes : [`skipped: ${outcome.skipped.reason}`];
}

/** Metadata without what every file has. */
function own(document: SourceDocument | undefined): unknown {
  const { path, modified, ...rest } = document?.metadata ?? {};
  expect([typeof path, typeof modified]).toEqual(["string", "string"]);
  return rest;
}

describe("JSONL", () => {
  it("reads the layout of retrieval benchmarks", async () => {
    const [first] = await rows(
      "corpus.jsonl",
      '{"_id": "d7", "title": "Rome", "text": "A city.\\r\\nOld.", "metadata": {"x": 1}}\n',
    );
    expect(first).toMatchObject({
      id: "corpus.jsonl#d7",
      uri: "corpus.jsonl",
      title: "Rome",
      format: "row",
      text: "A city.\nOld.",
    });
    expect(own(first)).toEqual({ _id: "d7" });
  });

  it("leaves broken lines out with a note and keeps the rest, numbered by line", async () => {
    const content = '{"text":"one"}\n{"text": \n\nnot json\n"plain"\n[1]\n{"text":"seven"}\n';
    const found = await rows("a.jsonl", content);
    expect(found.map((row) => [row.id, row.text])).toEqual([
      ["a.jsonl#1", "one"],
      ["a.jsonl#5", "plain"],
      ["a.jsonl#7", "seven"],
    ]);
    expect(await notes("a.jsonl", content)).toEqual(["Left out 3 lines not holding a readable JSON object: 2, 4, 6."]);
    expect(await notes("b.ndjson", "nope\nnope\n")).toEqual(["skipped: malformed"]);
  });

  it("leaves out lines that nest too deeply", async () => {
    const deep = `{"a": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
    expect((await rows("a.jsonl", `${deep}\n{"text":"x"}\n`)).map((row) => row.id)).toEqual(["a.jsonl#2"]);
  });

  it("makes ids unique and leaves out ids that are none", async () => {
    const lines = [
      { id: "x" },
      { id: "x" },
      { id: "x-2" },
      { id: "" },
      { id: "a\nb" },
      { id: 6 },
      { id: "6" },
      { _id: 8, id: 1 },
    ];
    const content = lines.map((line) => JSON.stringify({ ...line, text: "t" })).join("\n");
    expect((await rows("a.jsonl", content)).map((row) => row.id.slice("a.jsonl#".length))).toEqual([
      "x",
      "x-2",
      "x-2-3",
      "4",
      "5",
      "6",
      "6-7",
      "8",
    ]);
  });

  it("always gives unique ids", async () => {
    const id = fc.oneof(fc.constantFrom("1", "2", "3", "1-2", "2-3"), fc.nat(4), fc.constant(null));
    const property = fc.asyncProperty(fc.array(id, { minLength: 1, maxLength: 12 }), async (ids) => {
      const found = await rows("u.jsonl", ids.map((value) => JSON.stringify({ id: value, text: "t" })).join("\n"));
      expect(new Set(found.map((row) => row.id)).size).toBe(ids.length);
    });
    await fc.assert(property, { seed: 3, numRuns: 40 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1) });
  });

  it("writes fields as lines where there is no text, and keeps long values in the text", async () => {
    const long = "w ".repeat(600);
    const content = [
      { name: "Ada", born: 1815, tags: ["a", "b"], empty: "", none: null, deep: { a: 1 } },
      { text: "Body", abstract: long, year: 1999 },
    ];
    const [ada, body] = await rows("a.jsonl", content.map((row) => JSON.stringify(row)).join("\n"));
    expect(ada).toMatchObject({ title: "Ada", text: 'name: Ada\nborn: 1815\ntags: ["a","b"]\ndeep: {"a":1}' });
    expect(own(ada)).toEqual({ born: 1815, tags: ["a", "b"] });
    expect(body?.text).toBe(`Body\n\nabstract: ${long.trim()}`);
    expect(own(body)).toEqual({ year: 1999 });
  });

  it("bounds metadata and keeps odd keys as data", async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, index]));
    const [first] = await rows("a.jsonl", `{"__proto__": "p", "path": "mine", "text": "t"}\n${JSON.stringify(many)}`);
    expect(Object.getOwnPropertyDescriptor(first?.metadata, "__proto__")?.value).toBe("p");
    expect(first?.metadata["path"]).toBe("a.jsonl");
    const [, wide] = await rows("a.jsonl", `{"text": "t"}\n${JSON.stringify(many)}`);
    expect(Object.keys(wide?.metadata ?? {}).length).toBeLessThanOrEqual(66);
    expect(wide?.text).toContain("k499: 499");
  });

  it("stops at the limit of rows", async () => {
    const outcome = await read("a.jsonl", '{"text":"x"}\n'.repeat(4), { fileRowsMax: 3 });
    expect(outcome).toMatchObject({ skipped: { reason: "too_many_rows" } });
    expect("documents" in (await read("a.jsonl", '{"text":"x"}\n'.repeat(3), { fileRowsMax: 3 }))).toBe(true);
  });
});

describe("JSON", () => {
  it("gives a document a row for a list of objects, and one for anything else", async () => {
    const list = await rows("a.json", '[{"id": 5, "content": "five"}, {"body": "two"}]');
    expect(list.map((row) => [row.id, row.text, row.format])).toEqual([
      ["a.json#5", "five", "row"],
      ["a.json#2", "two", "row"],
    ]);
    const [object] = await rows("b.json", '{"a":{"b":1}}');
    expect(object).toMatchObject({ id: "b.json", format: "code", text: '{\n  "a": {\n    "b": 1\n  }\n}' });
    expect((await rows("c.json", '[1, {"a": 2}]')).length).toBe(1);
    expect(await notes("d.json", "[]")).toEqual(["skipped: empty"]);
    expect(await notes("d.json", "{}")).toEqual(["skipped: empty"]);
  });

  it("reads what is not JSON as text, with a note", async () => {
    const [config] = await rows("tsconfig.json", '{ // comment\n "a": 1, }');
    expect(config?.text).toBe('{ // comment\n "a": 1, }');
    expect(await notes("tsconfig.json", "{,}")).toEqual(["Not valid JSON; read as plain text."]);
  });

  it.each([
    ["[".repeat(100_000) + "]".repeat(100_000)],
    ["[".repeat(100_000)],
    ['{"a":'.repeat(100_000) + 1 + "}".repeat(100_000)],
  ])("skips 100,000 levels as too deep %#", async (content) => {
    expect(await read("a.json", content)).toMatchObject({ skipped: { reason: "too_deep" } });
  });

  it("does not take brackets in strings for nesting, and does not inflate wide and deep data", async () => {
    expect((await rows("a.json", JSON.stringify({ a: '[{"'.repeat(100_000) }))).length).toBe(1);
    const inner = Array.from({ length: 200_000 }, () => 1).join(",");
    const content = `{"a":${"[".repeat(190)}${inner}${"]".repeat(190)}}`;
    const [wide] = await rows("a.json", content);
    expect(wide?.text.length).toBe(content.length);
  });

  it("stops at the limit of rows", async () => {
    const outcome = await read("a.json", JSON.stringify(Array(4).fill({ text: "x" })), { fileRowsMax: 3 });
    expect(outcome).toMatchObject({ skipped: { reason: "too_many_rows" } });
  });
});

describe("CSV and TSV", () => {
  it("reads quoted cells, line ends inside them, and other delimiters", async () => {
    const [first, second] = await rows(
      "a.csv",
      'id,title,text,year\r\n7,"A, b","Line 1\r\nLine ""2""",1999\r\n8,C,d,2000\r\n',
    );
    expect(first).toMatchObject({ id: "a.csv#7", title: "A, b", text: 'Line 1\nLine "2"' });
    expect(own(first)).toEqual({ id: "7", year: "1999" });
    expect(second?.id).toBe("a.csv#8");
    expect((await rows("b.csv", "name;age\nAda;36\n"))[0]).toMatchObject({ title: "Ada", text: "name: Ada\nage: 36" });
    expect((await rows("c.tsv", "a\tb, c\n1\t2, 3\n"))[0]?.text).toBe("a: 1\nb, c: 2, 3");
  });

  it("keeps ragged rows, double and missing names", async () => {
    const content = "a,a,\n1\n1,2,3,4\n1,2,3\n";
    const found = await rows("a.csv", content);
    expect(found.map((row) => row.text)).toEqual([
      "a: 1",
      "a: 1\na 2: 2\ncolumn 3: 3\ncolumn 4: 4",
      "a: 1\na 2: 2\ncolumn 3: 3",
    ]);
    expect(await notes("a.csv", content)).toEqual(["2 rows of another length than the header."]);
  });

  it("takes an unclosed quote literally instead of losing the rest", async () => {
    const content = 'a,b\n1,"open\n2,x\n';
    expect((await rows("a.csv", content)).map((row) => row.text)).toEqual(['a: 1\nb: "open', "a: 2\nb: x"]);
    expect(await notes("a.csv", content)).toEqual(["A quote is not closed; quotes were taken literally."]);
  });

  it("has no document without rows, and stops at the limit", async () => {
    expect(await notes("a.csv", "only,header\n")).toEqual(["skipped: empty"]);
    expect(await notes("a.csv", "a,b\n,\n")).toEqual(["skipped: empty"]);
    expect(await read("a.csv", "a\n1\n2\n3\n4\n", { fileRowsMax: 3 })).toMatchObject({
      skipped: { reason: "too_many_rows" },
    });
    expect((await rows("a.csv", "a\n1\n2\n3\n")).length).toBe(3);
  });

  it("never throws and never repeats an id, whatever the content", async () => {
    const cell = fc.constantFrom("a", '"', ",", "\n", "\t", ";", "id", "text", "1", "\r\n", " ", "\u0301", "{", "}");
    const property = fc.asyncProperty(
      fc.constantFrom("p.csv", "p.tsv", "p.json", "p.jsonl", "p.html", "p.md"),
      fc.array(cell, { maxLength: 40 }),
      async (key, cells) => {
        const outcome = await read(key, cells.join(""));
        if (!("documents" in outcome)) return;
        expect(new Set(outcome.documents.map((row) => row.id)).size).toBe(outcome.documents.length);
        for (const row of outcome.documents) expect(row.text.trim()).not.toBe("");
      },
    );
    await fc.assert(property, { seed: 11, numRuns: 150 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1) });
  });
});
