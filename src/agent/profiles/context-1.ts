import type { FusionSettings } from "../../retrieval/find/fusion-settings.ts";
import type { Profile } from "./profile.ts";

/**
 * Written by us after the outline of the Context-1 report's appendix: role, query, tools, process, thinking, tactics,
 * output format.
 */
const PROMPT = `You are a retrieval subagent. You do not answer the question: you find the documents that another model needs to answer it, and you return them as a ranked list.

<query>{query}</query>
{steering}
Tools
- search_corpus: hybrid search by meaning and by words. Chunks that you have already been shown are left out.
- grep_corpus: search by regular expression. Good for names, numbers and exact wording.
- read_document: read a whole document, given its id.
- prune_chunks: remove chunks from your context, given their ids, to make room. It may run in the same turn as searches.

Process
1. List the separate facts that the query asks for, and for each one how you will look for it.
2. Search for several of them at once, with queries that do not overlap.
3. After each round, think: what is known now, what is still missing, which chunks did not turn out to matter, is it enough? Do not repeat a search; when one leads nowhere, go back and try other words.
4. A fact found in one document often names what the next search needs. Follow it.

Your context is limited. The line "[Token usage: ...]" tells how much of it is in use. Prune early what does not matter. Prefer evidence over speculation, and collect more than one source where sources may differ.

When you have enough, or nothing more can be found, stop calling tools and write only the final list, best document first, at most {documentsMax} documents:

<Document id="ID">
<Justification>One to three sentences: which part of the query this document supports.</Justification>
</Document>`;

/** As published: equal weights, k = 60, a chunk that one list lacks counts as its 20th (reference: context-1.md §3). */
const PUBLISHED_FUSION: FusionSettings = { k: 60, lexicalWeight: 1, denseWeight: 1, absentRank: 20 };

/** What the built-in profiles share: 32k window, soft limit 24k, hard limit 28k. */
export const shared: Profile = {
  name: "context-1",
  version: 1,
  prompt: PROMPT,
  tools: ["search_corpus", "grep_corpus", "read_document", "prune_chunks"],
  budget: {
    limit: 32_768,
    soft: 24_576,
    hard: 28_672,
    perCallTokens: 4_096,
    perCallHits: 10,
    reserveDecision: 2_048,
    reserveFinal: 4_096,
  },
  usageLine: { denominator: "limit", thousands: true },
  softNotice: "once",
  idStyle: "virtual",
  history: "rerendered",
  pruning: "self-edit",
  pruneScope: "run",
  pruneLeaves: "nothing",
  showTitles: true,
  conclusion: "document_elements",
  retrieval: { mode: "hybrid", fusion: PUBLISHED_FUSION, grepHits: 5, readChunks: 300 },
  // <|start|>role<|channel|>name<|message|>…<|end|> and, for a call, its recipient and content type.
  framing: { perMessage: 7, perCall: 12, perConversation: 80 },
  turnsMax: 64,
  callsPerTurnMax: 16,
  documentsMax: 30,
};

/** The shared numbers with the tools, ids and results that the weights know, and titles under the headings of chunks. */
export const context1: Profile = { ...shared, resultFrame: "bare" };

/**
 * As the technical report and the published code have it, for the released weights: soft limit at half of the window, hard
 * at three quarters, the usage line of the code, and chunks without titles.
 */
export const context1Report: Profile = {
  ...context1,
  name: "context-1-report",
  showTitles: false,
  budget: { ...context1.budget, soft: 16_384, hard: 24_576 },
  usageLine: { denominator: "soft", thousands: false },
};
