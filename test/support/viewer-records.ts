import { readFileSync } from "node:fs";
import { type ScriptStep, scriptedPolicy } from "../../src/agent/policies/scripted.ts";
import type { View } from "../../src/agent/policy.ts";
import { chat } from "../../src/agent/profiles/chat.ts";
import { withLimit } from "../../src/agent/profiles/profile.ts";
import { type RunRecord, recordFromLines } from "../../src/record/reader.ts";
import { startTestRun } from "../../src/testing/agent-fixture.ts";
import { memoryCorpus } from "../../src/testing/memory-corpus.ts";
import { wordCounter } from "../../src/testing/word-counter.ts";
import { randomChunks } from "../../src/testing/world.ts";

const TURNS = 64;
const CHUNKS_PER_DOCUMENT = 6;
const DOCUMENTS = 400;
const LIMIT_TOKENS = 65_536;
const PRUNE_FROM_TOKENS = 10_000;
const KEPT_CHUNKS = 12;
const WORDS =
  "amber basin cedar delta ember fjord grove haven islet jetty knoll lagoon marsh north oasis prairie".split(" ");

const shownIds = (view: View): string[] =>
  view.context.messages.flatMap((message) => message.blocks.flatMap((block) => block.chunk?.shownId ?? []));

const step =
  (turn: number): ScriptStep =>
  (view) => {
    const ids = shownIds(view);
    const word = (offset: number): string => WORDS[(turn + offset) % WORDS.length] ?? "amber";
    const calls: { tool: string; arguments: unknown }[] = [0, 3, 7].map((offset) => ({
      tool: "search_corpus",
      arguments: { query: `${word(offset)} ${word(offset * 2 + 1)} ${turn}` },
    }));
    if (turn % 9 === 4) calls.push({ tool: "read_document", arguments: { doc_id: `d${turn}` } });
    if (turn % 13 === 6) calls.push({ tool: "grep_corpus", arguments: { pattern: `Item ${turn}-` } });
    if (view.context.tokens > PRUNE_FROM_TOKENS) {
      calls.push({ tool: "prune_chunks", arguments: { chunk_ids: ids.slice(0, -KEPT_CHUNKS) } });
    }
    return { reasoning: `Turn ${turn}: ${word(0)} comes before ${word(1)}.`, text: `Looking for ${word(0)}.`, calls };
  };

const finish: ScriptStep = (view) => ({
  calls: [
    {
      tool: "finish",
      arguments: {
        documents: shownIds(view)
          .slice(0, 10)
          .map((id) => ({ id, justification: "It stands in view." })),
      },
    },
  ],
});

/** A real run of a script: 64 turns, more than 1,000 chunks, pruned all the while. */
export async function largeRecord(): Promise<RunRecord> {
  const counter = wordCounter();
  const corpus = memoryCorpus("large", randomChunks(DOCUMENTS, CHUNKS_PER_DOCUMENT, counter));
  const steps = Array.from({ length: TURNS - 1 }, (_, turn) => step(turn));
  const { run, record } = startTestRun(scriptedPolicy([...steps, finish]), {
    counter,
    corpora: [corpus],
    profile: withLimit({ ...chat, pruneLeaves: "nothing" }, LIMIT_TOKENS),
  });
  await run.result;
  return record();
}

/** What a document may hold to do harm. Each sets `window.harmed` if a page ever runs it. */
export const HARMFUL = [
  "</script><script>window.harmed=1</script>",
  "<img src=x onerror=window.harmed=1>",
  "<svg onload=window.harmed=1>",
  "<!--<script>window.harmed=1//-->",
  "\u2028window.harmed=1\u2029",
  "]]><script>window.harmed=1</script>",
].join(" ");
export const HARMFUL_URI = "javascript:window.harmed=1";

/** A run over documents whose titles, texts, headings, ids and addresses want to be run. */
export async function hostileRecord(): Promise<RunRecord> {
  const counter = wordCounter();
  const chunks = randomChunks(30, 2, counter).map((chunk) => ({
    ...chunk,
    title: `${HARMFUL} ${chunk.title}`,
    headings: [HARMFUL],
    uri: chunk.documentId === "doc-1" ? "https://example.org/real" : HARMFUL_URI,
    text: `${HARMFUL} ${chunk.text}`,
  }));
  const policy = scriptedPolicy([
    { reasoning: HARMFUL, text: HARMFUL, calls: [{ tool: "search_corpus", arguments: { query: `item ${HARMFUL}` } }] },
    (view) => ({ calls: [{ tool: "prune_chunks", arguments: { chunk_ids: shownIds(view).slice(0, 2) } }] }),
    (view) => ({
      calls: [
        {
          tool: "finish",
          arguments: {
            documents: shownIds(view)
              .slice(0, 5)
              .map((id) => ({ id, justification: HARMFUL })),
          },
        },
      ],
    }),
  ]);
  const { run, record } = startTestRun(policy, {
    counter,
    corpora: [memoryCorpus("hostile", chunks)],
    query: `Which item? ${HARMFUL}`,
  });
  await run.result;
  return record();
}

/** The lines of a record as its file holds them. */
export function recordText({ header, events }: RunRecord): string {
  return `${[header, ...events].map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/** The kept record of sixty turns over real documentation. */
export function sixtyTurns(): RunRecord {
  const url = new URL("../../docs/evidence/sixty-turns.jsonl", import.meta.url);
  const lines = readFileSync(url, "utf8").trimEnd().split("\n");
  return recordFromLines(lines.map((line) => JSON.parse(line)));
}
