import { describe, expect, test } from "vitest";
import { scriptedPolicy } from "../../agent/policies/scripted.ts";
import type { Policy, View } from "../../agent/policy.ts";
import type { Role } from "../../core/corpus-role.ts";
import type { Metadata } from "../../core/types.ts";
import type { CorpusReader } from "../../retrieval/corpus-reader.ts";
import { memoryCorpus } from "../../testing/memory-corpus.ts";
import { storeRow } from "../../testing/store-row.ts";
import { choosePolicy } from "../choose-policy.ts";
import { type FindDocumentsOptions, findDocuments } from "../find-documents.ts";
import { searchCorpora } from "../search-corpora.ts";
import { readKinds } from "./read-kinds.ts";

const NOW = Date.UTC(2026, 7, 18, 10);

function corpusOf(
  name: string,
  texts: Readonly<Record<string, readonly [string, Metadata?]>>,
  role?: Role,
): CorpusReader {
  const chunks = Object.entries(texts).map(
    ([id, [text, metadata = {}]]) => storeRow(id, text, { title: id, headings: [], metadata }).chunk,
  );
  return { ...memoryCorpus(name, chunks), ...(role === undefined ? {} : { role }) };
}

const log = corpusOf("log", {
  spring: ["the audit check of the ledger went well", { date: "2026-05-12" }],
  july: ["the ledger export went out with the audit", { date: "2026-07-06" }],
  noon: ["lunch", { date: "2026-07-06T12:30:00Z" }],
  old: ["the audit check of the ledger ledger audit check", { date: "2025-07-06" }],
  undated: ["audit check ledger"],
});
const find = (text: string, corpora: readonly CorpusReader[] = [log], more: Partial<FindDocumentsOptions> = {}) =>
  findDocuments(corpora, { text, mode: "lexical", documentsMax: 10, now: NOW, ...more });
const ids = ({ documents }: { readonly documents: readonly { readonly id: string }[] }) =>
  documents.map(({ id }) => id.replace(".md", ""));
const codes = ({ notices }: { readonly notices: readonly { readonly code: string }[] }) =>
  notices.map(({ code }) => code);

describe("a time in a question", () => {
  test("puts what is of it first, in its own order, and loses nothing", async () => {
    const plain = await find("ledger audit check of 6 July", [log], { now: Date.UTC(2024, 0) });
    const timed = await find("ledger audit check of 6 July");
    expect(codes(plain)).toEqual([]);
    expect(ids(timed)[0]).toBe("july");
    expect(ids(timed).slice(1)).toEqual(ids(plain).filter((id) => id !== "july"));
    expect(timed.documents.map(({ rank }) => rank)).toEqual([1, 2, 3, 4]);
    expect(timed.notices).toEqual([
      {
        code: "time_understood",
        message: 'Understood "6 July" as a time: documents of 6 July 2026 (2026-07-06) come first.',
      },
    ]);
  });

  test("finds what the other words would have left out", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 60 }, (_, i) => [`n${i}`, ["export export export", { date: "2024-01-01" }]] as const),
    );
    const corpus = corpusOf("many", {
      ...many,
      wanted: ["one export among long words of other things", { date: "2026-07-06" }],
    });
    expect(ids(await find("export", [corpus], { documentsMax: 3 }))).not.toContain("wanted");
    expect(ids(await find("export on 6 July", [corpus], { documentsMax: 3 }))[0]).toBe("wanted");
  });

  test("is meant from now where it is relative, and is a span where it says so", async () => {
    expect(ids(await find("the May audit check"))[0]).toBe("spring");
    expect(
      ids(await find("audit check since 1 May 2026"))
        .slice(0, 2)
        .sort(),
    ).toEqual(["july", "spring"]);
    expect(ids(await find("audit check of last year"))[0]).toBe("old");
  });

  test("where no document is of it, or none has a date, nothing changes and nothing is told", async () => {
    const plain = await find("ledger audit check");
    const timed = await find("ledger audit check yesterday");
    expect([ids(timed), codes(timed)]).toEqual([ids(plain), []]);
    const undated = corpusOf("undated", { a: ["audit ledger"], b: ["audit"] });
    expect(codes(await find("audit in July", [undated]))).toEqual([]);
  });

  test("is no word that could be absent", async () => {
    expect(codes(await find("ledger export of 6 July"))).toEqual(["time_understood"]);
    expect(codes(await find("teapot export of 6 July"))).toEqual(["words_absent", "time_understood"]);
  });

  test("holds within filters and exclusions", async () => {
    const timed = await find("audit of 6 July", [log], { exclude: ["july.md"] });
    expect(ids(timed)).not.toContain("july");
    expect(ids(await find("audit of 6 July", [log], { where: ["date<2026"] }))).toEqual(["old"]);
  });

  test("orders the list that rules ends with, and what every policy's queries show", async () => {
    const search = async (policy: Policy, profile = "chat") =>
      (await searchCorpora({ question: "ledger audit check of 12 May 2026", corpora: [log], policy, profile })).result;
    const byRules = await search(await choosePolicy("rules"));
    expect(ids(byRules)[0]).toBe("spring");
    expect(codes(byRules)).toEqual(["time_understood"]);
    const shown: string[][] = [];
    const looking = (): Policy => ({
      name: "looking",
      decide: async (view: View) => {
        const results = view.context.messages.filter(({ role }) => role === "tool");
        const [result] = results;
        if (result === undefined)
          return { calls: [{ tool: "search_corpus", arguments: { query: "ledger audit check" } }] };
        shown.push(result.blocks.flatMap(({ chunk }) => (chunk === undefined ? [] : [chunk.title])));
        const list = '<Document id="1"><Justification>It.</Justification></Document>';
        return view.conclusion === "document_elements" ? { text: list, calls: [] } : finish([]);
      },
    });
    const finish = (documents: readonly unknown[]) => ({ calls: [{ tool: "finish", arguments: { documents } }] });
    await search(looking());
    await search(looking(), "context-1");
    expect(shown[0]?.[0]).toBe("spring");
    expect(shown[1]?.[0]).not.toBe("spring");
  });

  test("a scripted list keeps its order", async () => {
    const entry = (id: string) => ({ id: `${id}.md`, justification: "It." });
    const policy = scriptedPolicy([
      { calls: [{ tool: "search_corpus", arguments: { query: "ledger audit check" } }] },
      { calls: [{ tool: "finish", arguments: { documents: [entry("old"), entry("spring")] } }] },
    ]);
    const run = await searchCorpora({ question: "audit of 12 May 2026", corpora: [log], policy, profile: "chat" });
    expect(ids(await run.result)).not.toEqual(["spring", "old"]);
  });
});

describe("a form of question", () => {
  const docs = corpusOf(
    "docs",
    {
      a: ["export export ledger ledger export"],
      b: ["ledger export export ledger notes"],
      c: ["the export of the ledger and more"],
      "decisions/export": ["we keep one format for each ledger for lack of hands"],
      d: ["export ledger"],
    },
    "documents",
  );
  const changes = corpusOf(
    "changes",
    { v2: ["2.0 the ledger has a new screen among many many other things"] },
    "changelog",
  );
  const traces = corpusOf("traces", { t1: ["the export command ended with ENOSPC after a long time"] }, "traces");
  const all = [docs, changes, traces];

  test.each([
    ["when did the ledger export ship", ["changelog"]],
    ["what was released with the ledger", ["changelog"]],
    ["which export failed", ["traces"]],
    ["why one format", ["documents"]],
    ["what was decided when the export crashed", ["traces", "documents"]],
    ["when I call export what is returned", []],
    ["what to do when the window is full", []],
    ["how is the ledger exported", []],
    ["only when was it idle", []],
  ])("%s", (question, roles) => {
    expect(readKinds(question).map(({ role }) => role)).toEqual(roles);
  });

  test("gives the best of the kind that answers it one of the first three places", async () => {
    const places = async (question: string, id: string) => ids(await find(question, all)).indexOf(id) + 1;
    expect(await places("ledger export", "v2")).toBeGreaterThan(3);
    expect(await places("when did the ledger export ship", "v2")).toBeLessThanOrEqual(3);
    expect(await places("which ledger export failed", "t1")).toBeLessThanOrEqual(3);
    expect(await places("why does the ledger export so", "decisions/export")).toBeLessThanOrEqual(3);
    const both = ids(await find("why was the ledger export released", all)).slice(0, 3);
    expect(both).toEqual(expect.arrayContaining(["v2", "decisions/export"]));
  });

  test("keeps the first place and the order of the others", async () => {
    const plain = ids(await find("ledger export did ship", all));
    const asked = ids(await find("when did ledger export ship", all));
    expect(asked[0]).toBe(plain[0]);
    expect(asked.filter((id) => id !== "v2")).toEqual(plain.filter((id) => id !== "v2"));
  });

  test("a document without a word of the question has no place, nor has one where a single role is asked", async () => {
    const roleless = all.map(({ role: _, ...corpus }) => corpus);
    const teapot = "when did the teapot ship";
    expect(ids(await find(teapot, all))).toEqual(ids(await find(teapot, roleless)));
    const twin = { ...changes, role: "documents" as const };
    expect(ids(await find("when did the ledger export ship", [docs, twin])).indexOf("v2")).toBeGreaterThan(2);
  });
});
