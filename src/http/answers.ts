import { z } from "zod";
import { listedCorpus } from "../features/callers/listed-corpus.ts";

/** What the server answers, as `GET /openapi.json` describes it and the tests check it. The same objects as `--json` prints. */
const metadata = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())]))
  .describe("As the source gave it; `corpora` lists the keys.");
const passage = z.object({
  start: z.number().int().describe("UTF-16 units from the document's beginning."),
  end: z.number().int(),
  text: z.string(),
  line: z.number().int().describe("From 1."),
});
const document = {
  id: z.string(),
  corpus: z.string(),
  uri: z.string(),
  title: z.string(),
  metadata,
};
const listed = {
  ...document,
  rank: z.number().int().describe("From 1."),
  score: z.number().describe("Orders this list only."),
  chunkIds: z.array(z.string()),
  passages: z.array(passage),
  duplicates: z
    .array(z.object({ corpus: z.string(), id: z.string() }))
    .describe("Documents that say the same in the same words and take no place of their own."),
};
const notice = z.object({ code: z.string(), message: z.string() });
const stopReason = z.enum([
  "finished",
  "max_turns",
  "budget_exhausted",
  "timeout",
  "cost_limit",
  "cancelled",
  "policy_error",
  "retrieval_error",
]);

export const searchResult = z.object({
  schema: z.literal("result/1"),
  runId: z.string().describe("`GET /v1/runs/{id}` gives the record."),
  query: z.string(),
  corpora: z.array(z.string()),
  documents: z.array(
    z.object({
      ...listed,
      justification: z.string(),
      quote: passage.optional(),
      pruned: z.boolean(),
    }),
  ),
  stopReason,
  concluded: z.enum(["policy", "forced", "from_record"]),
  outcome: z.enum(["found", "partial", "abstained"]),
  usage: z.object({
    turns: z.number().int(),
    toolCalls: z.number().int(),
    promptTokens: z.number().int(),
    completionTokens: z.number().int(),
    cachedTokens: z.number().int(),
    reusableTokens: z.number().int(),
    prunedChunks: z.number().int(),
    shownChunks: z.number().int(),
    seconds: z.number(),
    costUsd: z.number().nullable(),
  }),
  notices: z.array(notice),
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }).optional(),
  recordPath: z.null().describe("Records are asked for by run id; places of the server's machine are not told."),
});

export const foundDocuments = z.object({
  schema: z.literal("find/1"),
  query: z.string(),
  mode: z.enum(["hybrid", "lexical", "dense", "grep"]),
  corpora: z.array(z.string()),
  documents: z.array(
    z.object({
      ...listed,
      lexicalRank: z.number().int().optional(),
      denseRank: z.number().int().optional(),
      rerankRank: z.number().int().optional(),
    }),
  ),
  matchesTotal: z.number().int().optional().describe("Grep only."),
  documentsTotal: z.number().int().optional(),
  notices: z.array(notice),
});

export const documentText = z.object({
  schema: z.literal("document/1"),
  ...document,
  lines: z.object({ from: z.number().int(), to: z.number().int() }),
  linesTotal: z.number().int(),
  text: z.string(),
  next: z.string().optional().describe("Lines to ask for next where the text was cut."),
});

const briefed = z.object({
  id: z.string(),
  corpus: z.string(),
  uri: z.string(),
  line: z.number().int(),
  title: z.string(),
  repository: z.string().optional(),
  date: z.string().optional(),
  about: z.string(),
  why: z.string(),
});

export const brief = z.object({
  schema: z.literal("brief/1"),
  task: z.string(),
  corpora: z.array(z.string()),
  load: z.array(briefed).describe("Read these before you begin."),
  keep: z.array(briefed).describe("Open these when the work touches them."),
  ignore: z.array(briefed),
  runId: z.string(),
  recordPath: z.null(),
  notices: z.array(notice),
});

export const recent = z.object({
  schema: z.literal("recent/1"),
  since: z.string(),
  corpora: z.array(z.string()),
  documents: z.number().int().describe("All that moved, shown or not."),
  shown: z.number().int(),
  groups: z.array(
    z.object({
      repository: z.string(),
      documents: z.number().int(),
      tags: z.array(
        z.object({
          tag: z.string(),
          documents: z.array(
            z.object({
              id: z.string(),
              corpus: z.string(),
              uri: z.string(),
              title: z.string(),
              date: z.string(),
              tags: z.array(z.string()),
              line: z.string(),
              superseded: z.string().optional(),
            }),
          ),
        }),
      ),
    }),
  ),
  truncated: z.boolean(),
  undated: z.number().int(),
  notices: z.array(notice),
});

export const corporaList = z.object({ schema: z.literal("corpora/1"), corpora: z.array(listedCorpus) });

export const runsList = z.object({
  schema: z.literal("runs/1"),
  runs: z.array(
    z.object({
      runId: z.string(),
      parent: z.string().nullable().describe("The run that this one is a rollout of."),
      at: z.number().describe("Milliseconds since the epoch."),
      query: z.string(),
      corpora: z.array(z.string()),
      policy: z.string(),
      profile: z.string(),
      stopReason: z.enum([...stopReason.options, "unfinished"]),
      documents: z.number().int(),
      turns: z.number().int(),
      bytes: z.number().int(),
    }),
  ),
  damaged: z.number().int().describe("Records that could not be read."),
  total: z.number().int(),
});

export const runRecord = z.object({
  schema: z.literal("record/1"),
  torn: z.boolean().describe("Whether the last line was cut off by the end of its process."),
  header: z.looseObject({ type: z.literal("header"), runId: z.string(), query: z.string() }),
  events: z.array(z.looseObject({ type: z.string(), seq: z.number().int(), at: z.number(), turn: z.number().int() })),
});

export const healthState = z.object({ status: z.enum(["ok", "ready", "unavailable"]) });

export const errorAnswer = z.object({
  error: z.object({
    code: z.string().describe("From one closed list; see docs/http.md."),
    message: z.string(),
    hint: z.string().optional(),
  }),
});
