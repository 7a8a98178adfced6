import { z } from "zod";
import { corpora, documentNames, documentsMax, questionText, since, where } from "../features/callers/input-schemas.ts";

/** Longest list of documents. */
const DOCUMENTS_MAX = 30;
/** Of a find where nobody says how many. */
export const FIND_DOCUMENTS = 10;
const RECENT_DOCUMENTS = 50;
const RUNS = 20;
const RUNS_MAX = 200;
const DAY_MS = 86_400_000;
const ROLLOUTS_LISTED_MAX = 16;

const exclude = documentNames("Documents to leave out, by id or path.");
const k = documentsMax(FIND_DOCUMENTS, DOCUMENTS_MAX);

/** What the body of a search may say. Models and their addresses are the operator's, so nothing here names one freely. */
export const searchBody = z.strictObject({
  query: questionText.describe("A whole question, as a person would ask it."),
  corpora,
  where,
  since,
  exclude,
  known: documentNames("Documents that you have read already: they may be built on, and are not listed again."),
  k: documentsMax(DOCUMENTS_MAX, DOCUMENTS_MAX).describe("Documents at most; as the operator configured by default."),
  policy: z
    .string()
    .max(300)
    .optional()
    .describe("One of the policies that the operator lets callers choose; the operator's own by default."),
  timeoutMs: z
    .number()
    .int()
    .min(1_000)
    .max(DAY_MS)
    .optional()
    .describe("Longest time of the run in milliseconds; never more than the operator allows."),
  rollouts: z
    .number()
    .int()
    .min(1)
    .max(ROLLOUTS_LISTED_MAX)
    .optional()
    .describe("Runs of the question whose lists are fused; never more than the operator allows. 1 by default."),
  stream: z.boolean().optional().describe("Answer with server-sent events, as `Accept: text/event-stream` asks for."),
});

export const findBody = z.strictObject({
  query: questionText.describe("Words or a phrase; with mode grep a regular expression (RE2, no look-around)."),
  mode: z
    .enum(["hybrid", "lexical", "dense", "grep"])
    .optional()
    .describe("hybrid (default) by words and meaning; lexical by words; dense by meaning; grep by pattern."),
  corpora,
  k,
  where,
  since,
  exclude,
});

export const briefBody = z.strictObject({
  task: questionText.describe("What you are about to do."),
  corpora,
  where,
  since,
});

export const readQuery = z.strictObject({
  document: z.string().min(1).max(2_000).describe("An id or a path, with `:LINE` behind it to begin there."),
  lines: z.string().max(40).optional().describe("Lines, for example 10-40; all by default."),
  corpora,
});

export const recentQuery = z.strictObject({
  since: z.string().max(40).optional().describe("ISO date, whole or in part; the last 7 days by default."),
  corpora,
  where,
  k: z.coerce.number().int().min(1).max(RUNS_MAX).default(RECENT_DOCUMENTS).describe("Documents at most."),
});

export const runsQuery = z.strictObject({
  n: z.coerce.number().int().min(1).max(RUNS_MAX).default(RUNS).describe("Runs at most, the newest first."),
});

export const runQuery = z.strictObject({
  format: z
    .enum(["json", "jsonl"])
    .optional()
    .describe("jsonl: the record as it lies on disk; `Accept: application/jsonl` asks for the same."),
});
