import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { scriptedPolicy } from "../agent/policies/scripted.ts";
import type { Policy } from "../agent/policy.ts";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { choosePolicy } from "./choose-policy.ts";
import { type FindDocumentsOptions, findDocuments } from "./find-documents.ts";
import { indexCorpus } from "./index-corpus.ts";
import { queryEmbedder } from "./indexing/embedders.ts";
import { searchCorpora } from "./search-corpora.ts";

const NOTES = {
  "pool.md":
    "# Connection pool\n\nThe pool keeps sockets open between requests and closes those that idle for a minute.",
  "retry.md": "# Retries\n\nA request that fails is sent again after a pause that doubles with every attempt.",
  "proxy.md": "# Proxies\n\nRequests go through the proxy that the environment names, unless the host is local.",
};
let folder: string;
let corpus: CorpusReader;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "winnow-absence-"));
  for (const [name, text] of Object.entries(NOTES)) await writeFile(join(folder, name), text);
  await indexCorpus({ folder: join(folder, ".winnow"), paths: [folder], signal: new AbortController().signal });
  corpus = await openCorpus(join(folder, ".winnow"), { name: "notes", embedQuery: queryEmbedder() });
});
afterAll(async () => {
  await corpus.close();
  await rm(folder, { recursive: true, force: true });
});

const find = (text: string, more: Partial<FindDocumentsOptions> = {}) =>
  findDocuments([corpus], { text, mode: "hybrid", documentsMax: 5, ...more });
const codes = ({ notices }: { readonly notices: readonly { readonly code: string }[] }) =>
  notices.map(({ code }) => code);
const search = async (question: string, policy: Policy, rollouts = 1) =>
  (await searchCorpora({ question, corpora: [corpus], policy, profile: "chat", rollouts })).result;

describe("find", () => {
  test("where no word of the question is known and nothing is near, nothing is listed, and it is said why", async () => {
    const found = await find("zzzqqq unobtainium");
    expect(found.documents).toEqual([]);
    expect(codes(found)).toEqual(["words_absent", "nothing_near"]);
    expect(found.notices[0]?.message).toBe('No document holds "zzzqqq" or "unobtainium".');
    expect((await find("zzzqqq unobtainium", { mode: "dense" })).documents.length).toBeGreaterThan(0);
  });

  test("a rare word that is absent is named beside what the others find", async () => {
    const found = await find("how long does the unobtainium connection pool keep sockets open");
    expect(found.documents[0]?.id).toBe("pool.md");
    expect(found.notices).toEqual([{ code: "words_absent", message: 'No document holds "unobtainium".' }]);
  });

  test("a list that hardly matches is kept and marked", async () => {
    const found = await find("environment of the harbour seals");
    expect(found.documents.length).toBeGreaterThan(0);
    expect(codes(found)).toEqual(["words_absent", "weak_match"]);
  });

  test("a question that is answered is told nothing, in other words than the documents' either", async () => {
    for (const text of ["connection pool", "keep sockets open", "doubles pause attempt", "proxies for requests"])
      expect(codes(await find(text))).toEqual([]);
    expect((await find("sending a failed request once more")).documents[0]?.id).toBe("retry.md");
  });

  test("within a filter or exclusion only the documents that were asked for are spoken of", async () => {
    const { notices } = await find("sockets", { exclude: ["pool.md"], mode: "lexical" });
    expect(notices).toEqual([
      { code: "words_absent", message: 'None of the documents that were asked for holds "sockets".' },
    ]);
  });

  test("many absent words are counted", async () => {
    const text = "requests aaab aaac aaad aaae aaaf aaag aaah";
    expect((await find(text, { mode: "lexical" })).notices[0]?.message).toBe(
      'No document holds "aaab", "aaac", "aaad", "aaae", "aaaf" or 2 more of the words.',
    );
  });

  test("a corpus that cannot be asked for words is told nothing about", async () => {
    let calls = 0;
    const failing: CorpusReader = {
      ...{ name: "notes", info: () => corpus.info(), grep: (query) => corpus.grep(query) },
      ...{ read: (query) => corpus.read(query), documents: (query) => corpus.documents(query), close: async () => {} },
      find: (query) => (calls++ === 0 ? corpus.find(query) : Promise.reject(new Error("gone"))),
    };
    const found = await findDocuments([failing], { text: "teapot requests", mode: "hybrid", documentsMax: 5 });
    expect(found.documents.length).toBeGreaterThan(0);
    expect(found.notices).toEqual([]);
  });
});

describe("search", () => {
  test("rules abstains where nothing speaks for an answer, on record, with rollouts too", async () => {
    const policy = await choosePolicy("rules");
    for (const rollouts of [1, 2]) {
      const result = await search("who sang at the harbour seals banquet", policy, rollouts);
      expect(result).toMatchObject({ outcome: "abstained", stopReason: "finished", documents: [] });
      expect(codes(result)).toEqual(expect.arrayContaining(["words_absent", "no_evidence"]));
      expect(codes(result)).not.toContain("weak_match");
    }
  });

  test("rules answers what is there, and the result names what is not", async () => {
    const result = await search("how long does the unobtainium pool keep sockets open", await choosePolicy("rules"));
    expect(result.outcome).toBe("found");
    expect(result.documents[0]?.id).toBe("pool.md");
    expect(codes(result)).toEqual(["words_absent"]);
  });

  test("another policy judges for itself and keeps its list", async () => {
    const policy = scriptedPolicy([
      { calls: [{ tool: "read_document", arguments: { document_id: "pool.md" } }] },
      { calls: [{ tool: "finish", arguments: { documents: [{ id: "pool.md", justification: "It." }] } }] },
    ]);
    const result = await search("who sang at the harbour seals banquet", policy);
    expect(codes(result)).toContain("words_absent");
    expect(result.usage.turns).toBeGreaterThan(0);
    expect(codes(result)).not.toContain("no_evidence");
  });
});
