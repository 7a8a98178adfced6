// Makes a record of a scripted run of 60 turns with prunes over a corpus: `node scripts/bench.mjs sixty-turns CORPUS OUT`.
// The script asks for one topic after another and prunes whatever is oldest once the window is half full, as a policy
// would. `winnow replay OUT` then renders every prompt again and compares it byte by byte.
import { renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { type ScriptStep, scriptedPolicy } from "../src/agent/policies/scripted.ts";
import type { View } from "../src/agent/policy.ts";
import { searchCorpora } from "../src/features/search-corpora.ts";
import { openCorpus } from "../src/retrieval/corpus/open-corpus.ts";

const TURNS = 60;
const TOPICS =
  "log levels,redaction,child loggers,transports,request lifecycle,hooks,error handling,validation,serialization,plugins,decorators,encapsulation,streaming text,tool calling,agents,embeddings,middleware,telemetry,structured output,proxy,retry,connection pool,interceptors,cookies,fetch,mocking,testing,migration,type providers,content type parser,http2,routes,reply,server options,prompts,images,speech,transcription,caching,rate limits".split(
    ",",
  );

const [corpusFolder, out] = process.argv.slice(2);
if (corpusFolder === undefined || out === undefined) throw new Error("usage: sixty-turns CORPUS_FOLDER OUT.jsonl");

const shownIds = (view: View): string[] =>
  view.context.messages.flatMap((message) => message.blocks.flatMap((block) => block.chunk?.shownId ?? []));

const step =
  (turn: number): ScriptStep =>
  (view) => {
    const topic = TOPICS[turn % TOPICS.length] ?? "";
    const calls: { tool: string; arguments: unknown }[] = [
      turn % 7 === 3
        ? { tool: "grep_corpus", arguments: { pattern: `(?i)\\b${topic.split(" ")[0]}\\b` } }
        : { tool: "search_corpus", arguments: { query: turn < TOPICS.length ? topic : `how to configure ${topic}` } },
    ];
    if (turn % 11 === 5) calls.push({ tool: "read_document", arguments: { doc_id: `d${turn % 9}` } });
    if (view.context.tokens > 16_000) {
      const ids = shownIds(view);
      calls.push({ tool: "prune_chunks", arguments: { chunk_ids: ids.slice(0, Math.ceil(ids.length / 3)) } });
    }
    return { text: `Looking into ${topic}.`, calls };
  };

const finish: ScriptStep = (view) => ({
  calls: [
    {
      tool: "finish",
      arguments: {
        documents: shownIds(view)
          .slice(0, 5)
          .map((id) => ({ id, justification: "Still in view." })),
      },
    },
  ],
});

const corpus = await openCorpus(corpusFolder, { name: "demo" });
const run = await searchCorpora({
  question: "What do these libraries say about logging, errors and testing?",
  corpora: [corpus],
  policy: scriptedPolicy([...Array.from({ length: TURNS - 1 }, (_, turn) => step(turn)), finish]),
  profile: "chat",
  runsFolder: dirname(out),
});
const result = await run.result;
await corpus.close();
rmSync(out, { force: true });
renameSync(result.recordPath ?? "", out);
const { turns, toolCalls, shownChunks, prunedChunks } = result.usage;
console.log(
  `${turns} turns, ${toolCalls} calls, ${shownChunks} chunks shown, ${prunedChunks} pruned, stop reason ${result.stopReason}`,
);
