import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WinnowError } from "../core/errors.ts";
import type { Chunk } from "../core/types.ts";
import { rankDocuments } from "../retrieval/find/rank-documents.ts";
import { rankHits } from "../retrieval/find/rank-hits.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { wordCounter } from "../testing/word-counter.ts";
import { rulesPolicy } from "./policies/rules/rules.ts";
import { DEFAULT_RULES } from "./policies/rules/settings.ts";
import { scriptedPolicy } from "./policies/scripted.ts";
import { replayRecord } from "./replay-record.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const QUERY = "how long are idle sockets kept open";
const counter = wordCounter();
const uncut = () => rulesPolicy({ ...DEFAULT_RULES, cut: false });

function corpusOf(texts: readonly string[]) {
  const chunks = texts.map((text, i): Chunk => {
    const id = `doc-${String(i).padStart(2, "0")}`;
    const place = { index: 0, count: 1, start: 0, end: text.length, line: 1 };
    const named = { title: "", headings: [], uri: id, metadata: {} };
    return { id, documentId: id, ...place, text, tokens: counter.count(`${text}\n\n`), ...named };
  });
  return memoryCorpus("test", chunks);
}

/** Words without names, each text another: nothing leads from one to the next. */
const WORDS = "idle socket kept open long timer limit pool reuse close server client wait request".split(" ");
const texts = fc
  .array(
    fc.array(fc.constantFrom(...WORDS), { minLength: 4, maxLength: 40 }).map((words) => words.join(" ")),
    { minLength: 1, maxLength: 60 },
  )
  .map((all) => all.map((text, i) => `${text} number${i} thing${i} other${i} item${i} part${i}`));

describe("a run that starts from the ranking of its question", () => {
  it("lists what one query ranks, in its order, where nothing links documents", async () => {
    await fc.assert(
      fc.asyncProperty(texts, async (given) => {
        const corpus = corpusOf(given);
        const { hits } = await rankHits([corpus], { text: QUERY, mode: "lexical", documentsMax: 30 });
        const ranked = rankDocuments(hits).slice(0, 30);
        const { run } = startTestRun(uncut(), { corpora: [corpus], query: QUERY });
        const { documents } = await run.result;
        expect(documents.map(({ id }) => id)).toEqual(ranked.map(({ documentId }) => documentId));
      }),
      { numRuns: 40 * SCALE, seed: 13 },
    );
  });

  it("gives passages and a sentence of the documents that it never showed, and its record alone replays", async () => {
    const corpus = corpusOf(Array.from({ length: 40 }, (_, i) => `Idle sockets are kept open for ${i} seconds.`));
    const { run, record } = startTestRun(uncut(), { corpora: [corpus], query: QUERY });
    const { documents, usage } = await run.result;
    expect(documents).toHaveLength(30);
    expect(usage.shownChunks).toBeLessThan(30);
    for (const { passages, justification } of documents) {
      expect(passages).toHaveLength(1);
      expect(justification).toMatch(/^Idle sockets are kept open for \d+ seconds\.$/);
    }
    for (const { same } of replayRecord(record(), counter)) expect(same).toBe(true);
    const end = record().events.at(-1);
    expect(end?.type === "end" ? end.chunks?.length : 0).toBe(30 - usage.shownChunks);
  });

  it("goes on without a ranking where the corpus cannot be asked at first", async () => {
    const corpus = corpusOf(["Idle sockets are kept open for 4 seconds."]);
    let failures = 1;
    const shaky = {
      ...corpus,
      find: async (query: Parameters<typeof corpus.find>[0]) => {
        if (failures-- > 0) throw new WinnowError("store_failed", "Not now.");
        return corpus.find(query);
      },
    };
    const { run } = startTestRun(uncut(), { corpora: [shaky], query: QUERY });
    const result = await run.result;
    expect(result).toMatchObject({ stopReason: "finished", outcome: "found" });
    expect(result.notices.map(({ message }) => message)).toContain("Not now.");
  });

  it("is not there for other policies: a document that they were not shown cannot be listed", async () => {
    const corpus = corpusOf(["Idle sockets are kept open.", "Sockets are closed."]);
    const finish = { tool: "finish", arguments: { documents: [{ id: "d2", justification: "" }] } };
    const { run, record } = startTestRun(scriptedPolicy([{ calls: [finish] }]), { corpora: [corpus], query: QUERY });
    const { documents } = await run.result;
    expect(documents).toEqual([]);
    expect(record().events.some(({ type }) => type === "ranking")).toBe(false);
  });
});
