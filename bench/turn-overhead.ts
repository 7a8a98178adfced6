// What a turn costs in the harness itself at a full window: rendering, hashing, deduplication, packing, pruning, with
// stored token counts. The corpus answers from memory at once and the policy is a table. The peer is counting the
// tokens of the same window afresh, which is what a harness without stored counts would do every turn.
import { messageText } from "../src/agent/context/rendered.ts";
import type { Policy, ProposedCall } from "../src/agent/policy.ts";
import { chat } from "../src/agent/profiles/chat.ts";
import { context1 } from "../src/agent/profiles/context-1.ts";
import type { Profile } from "../src/agent/profiles/profile.ts";
import { startRun } from "../src/agent/run.ts";
import { shownText } from "../src/core/text.ts";
import type { Chunk } from "../src/core/types.ts";
import { loadTokenCounter } from "../src/models/o200k-token-counter.ts";
import { memoryRecorder } from "../src/record/recorder.ts";
import { type CorpusReader, chunkKey } from "../src/retrieval/corpus-reader.ts";

const TURNS = 400;
const counter = await loadTokenCounter();
const words = "the store keeps every chunk with its token count so that a turn never has to count a window again".split(
  " ",
);

function chunkOf(n: number): Chunk {
  const text = Array.from({ length: 440 }, (_, i) => words[(i * 7 + n * 3) % words.length]).join(" ");
  const tokens = counter.count(shownText(text));
  return {
    id: `doc-${n}#0`,
    documentId: `doc-${n}`,
    index: 0,
    count: 1,
    start: 0,
    end: text.length,
    line: 1,
    text,
    tokens,
    title: `Document ${n}`,
    headings: [],
    uri: `doc-${n}.md`,
    metadata: {},
  };
}
const chunks = Array.from({ length: 8 * TURNS + 200 }, (_, n) => chunkOf(n));
const instant: CorpusReader = {
  name: "bench",
  info: () => Promise.reject(new Error("not asked")),
  async find(query) {
    const hits = [];
    for (const chunk of chunks) {
      if (query.exclude?.has(chunkKey("bench", chunk.id))) continue;
      hits.push({ corpus: "bench", chunk, score: 1 });
      if (hits.length >= query.chunksMax) break;
    }
    return { hits, notices: [] };
  },
  grep: () => Promise.reject(new Error("not asked")),
  read: () => Promise.reject(new Error("not asked")),
  documents: () => Promise.reject(new Error("not asked")),
  close: async () => {},
};

async function measure(profile: Profile): Promise<void> {
  const times: number[] = [];
  const tokens: number[] = [];
  let left = 0;
  let recount: number[] = [];
  const policy: Policy = {
    name: "table",
    async decide(view) {
      const entered = performance.now();
      if (left > 0 && view.context.tokens > 18_000) {
        times.push(entered - left);
        tokens.push(view.context.tokens);
      }
      if (times.length % 40 === 0) {
        const text = view.context.messages.map(messageText).join("");
        const start = performance.now();
        counter.count(text);
        recount = [...recount, performance.now() - start];
      }
      const shown = view.context.messages.flatMap((message) => message.blocks.flatMap((block) => block.chunk ?? []));
      const prune = shown.length > 46 ? shown.slice(0, 8).map((chunk) => chunk.shownId) : [];
      const calls: ProposedCall[] = [{ tool: "search_corpus", arguments: { query: "token count" } }];
      if (prune.length > 0) calls.push({ tool: "prune_chunks", arguments: { chunk_ids: prune } });
      left = performance.now();
      return { calls };
    },
  };
  const run = startRun({
    query: "What does a turn cost?",
    library: { corpora: [instant], mode: "lexical", where: [], excludeDocuments: new Set() },
    corpora: [{ name: "bench", generation: 1, embedder: null }],
    steering: { where: [], exclude: [], known: [] },
    policy,
    profile: { ...profile, pruneLeaves: "nothing" },
    counter,
    recorder: memoryRecorder(),
    clock: { now: () => 0 },
    harness: "bench",
    limits: { turnsMax: Number(process.argv[2] ?? 60) },
  });
  await run.result;
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
  const floor = recount.sort((a, b) => a - b)[Math.floor(recount.length / 2)] ?? Number.NaN;
  const mean = tokens.reduce((sum, value) => sum + value, 0) / tokens.length;
  console.log(
    `${profile.name.padEnd(10)} ${sorted.length} turns at ${Math.round(mean).toLocaleString("en-US")} tokens: ` +
      `median ${at(0.5).toFixed(2)} ms, p95 ${at(0.95).toFixed(2)} ms; counting the window afresh ${floor.toFixed(2)} ms ` +
      `(${(floor / at(0.5)).toFixed(1)} times a turn)`,
  );
}

for (const profile of [chat, context1]) await measure(profile);
