import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { rulesPolicy } from "../../../src/agent/policies/rules/rules.ts";
import type { ChromaEntry } from "../../../src/config/corpora.ts";
import { indexAttached } from "../../../src/features/attaching/index-attached.ts";
import { copyCorpus } from "../../../src/features/copy-corpus.ts";
import { evaluateDataset } from "../../../src/features/evaluate-dataset.ts";
import { forgetPath, type IndexSummary, indexCorpus } from "../../../src/features/index-corpus.ts";
import { createSource } from "../../../src/features/indexing/create-source.ts";
import type { IndexParts } from "../../../src/features/indexing/parts.ts";
import { searchCorpora } from "../../../src/features/search-corpora.ts";
import { ChromaPlaces } from "../../../src/retrieval/chroma/shared-places.ts";
import type { StoreKind } from "../../../src/retrieval/corpus/manifest.ts";
import { openCorpus } from "../../../src/retrieval/corpus/open-corpus.ts";
import { reembed } from "../../../src/retrieval/corpus/reembed.ts";
import { ANALYZER_NAME, analyzeText } from "../../../src/retrieval/lexical/analyze.ts";
import { MemoryCollection, memoryChroma } from "../../../src/testing/memory-chroma.ts";
import { lineChunks } from "../../../src/testing/memory-source.ts";

/**
 * What tests of faults do to a corpus, in a child process that dies of it and in the test that looks at what is left. All
 * is real but the chunker and the embedder, whose loading would take most of a child's time. `say` is told what is
 * acknowledged.
 */
export type Say = (line: string) => void;

const DIMENSION = 8;
export const embedderOf = (name: string) => ({ name: `made:${name}`, dimension: DIMENSION });

/** A vector that depends on the text and on the embedder's name alone. */
export function vectorOf(name: string, text: string): Float32Array {
  const digest = createHash("sha256").update(`${name}\0${text}`).digest();
  return Float32Array.from(digest.subarray(0, DIMENSION), (byte) => byte - 100.5);
}

export const parts: IndexParts = {
  identity: { chunker: "lines", tokenCounter: "words", analyzer: ANALYZER_NAME, embedder: embedderOf("first") },
  createSource,
  loadChunker: async () => (document) => lineChunks(document),
  analyze: analyzeText,
  loadEmbedder: async (identity) => async (texts) => texts.map((text) => vectorOf(identity.name, text)),
};

export interface Renewed {
  readonly store?: StoreKind;
  readonly now?: () => number;
  readonly rebuild?: boolean;
  readonly commitIntervalMs?: number;
}

/** Indexes `base` into `base/.winnow`, committing as often as it can; says `safe KEYS` after every commit. */
export function index(base: string, say: Say = () => {}, options: Renewed = {}): Promise<IndexSummary> {
  const onCommit = (committed: { readonly documents: number }): void => say(`safe ${committed.documents}`);
  return indexCorpus(
    { folder: join(base, ".winnow"), paths: [base], commitIntervalMs: 0, parts, ...options },
    { onCommit },
  );
}

/** By then everything that was replaced has been kept long enough for readers. */
export const LATER_MS = 3_600_000;
/** Versions of a Lance table that are closer together are cleaned up together. */
const VERSIONS_APART_MS = 1_100;

/** What the next changes of the files do to what a killed process left behind; the files are in the end what they were. */
export async function settle(base: string): Promise<void> {
  const passing = join(base, "passing.md");
  const later = (hours: number) => index(base, () => {}, { now: () => Date.now() + hours * LATER_MS });
  await writeFile(passing, "It comes and goes.\n");
  await later(1);
  await sleep(VERSIONS_APART_MS);
  await rm(passing);
  await later(2);
  await later(3);
}

export async function forget(base: string, name: string, say: Say = () => {}): Promise<void> {
  await forgetPath({ folder: join(base, ".winnow"), path: join(base, name), parts });
  say("forgotten");
}

/** Gives `base/.winnow` vectors of another embedder; says `asked N` and `safe N`, counting texts and chunks. */
export async function reembedTo(base: string, name: string, say: Say = () => {}): Promise<void> {
  await reembed(join(base, ".winnow"), {
    embedder: embedderOf(name),
    signal: new AbortController().signal,
    async embed(texts) {
      say(`asked ${texts.length}`);
      return texts.map((text) => vectorOf(`made:${name}`, text));
    },
    onProgress: ({ chunks }) => say(`safe ${chunks}`),
  });
  say("reembedded");
}

/** Copies the corpus of `base` to `base/NAME`; says `safe N`, counting chunks. */
export async function copy(base: string, name: string, store: StoreKind, say: Say = () => {}): Promise<number> {
  const { copied } = await copyCorpus(
    {
      ...{ from: ".", to: name, store, environment: {}, signal: new AbortController().signal },
      scope: { workingFolder: base, known: {} },
    },
    ({ phase, chunks }) => phase === "copying" && say(`safe ${chunks}`),
  );
  say("copied");
  return copied;
}

/** An attached collection whose words lie in `base/words`. */
export function attachedEntry(base: string): ChromaEntry {
  return {
    ...{ kind: "chroma", place: "http://127.0.0.1:8000", collection: "docs", role: "documents" },
    ...{ documentKey: "path", orderKey: "n", uriKey: "path", embedder: "minilm", inPlace: false },
    indexFolder: join(base, "words"),
  };
}

const RECORDS_EACH = 2;
export const ATTACHED_DOCUMENTS = 14;

/** A server in memory with the collection of one round: in the second some records are new, some changed, some gone. */
export function attachedPlaces(round: number): ChromaPlaces {
  const records = Array.from({ length: ATTACHED_DOCUMENTS * RECORDS_EACH }, (_, at) => {
    const document = Math.floor(at / RECORDS_EACH);
    const isChanged = round > 0 && document % 3 === 0;
    const name = round > 0 && document % 5 === 4 ? `new${document}` : `d${document}`;
    return {
      id: `${name}::${at % RECORDS_EACH}`,
      document: `common ${isChanged ? "later" : "early"}${at} of ${name}`,
      metadata: { path: `/x/${name}.md`, n: at % RECORDS_EACH, round: isChanged ? 1 : 0 },
      embedding: [...vectorOf("made:first", String(at))],
    };
  });
  const collection = new MemoryCollection({ name: "docs", dimension: DIMENSION }, records);
  return new ChromaPlaces({ open: async () => memoryChroma([collection]) });
}

/** Brings the words of the attached collection of `base` to those of a round. */
export async function attach(
  base: string,
  round: number,
  say: Say = () => {},
  options: Pick<Renewed, "now"> = {},
): Promise<IndexSummary> {
  const places = attachedPlaces(round);
  const summary = await indexAttached({
    ...{ name: "docs", entry: attachedEntry(base), places, environment: {}, ...options },
  });
  say("attached");
  return summary;
}

/** Runs the agent on `base/.winnow`, says `event SEQ` for every event that is acknowledged. */
export async function search(base: string, rollouts: number, say: Say = () => {}): Promise<string> {
  const corpus = await openCorpus(join(base, ".winnow"));
  try {
    const run = await searchCorpora({
      question: "Which common file holds word3, and which word7?",
      corpora: [corpus],
      policy: () => rulesPolicy(),
      rollouts,
      profile: "chat",
      runsFolder: join(base, ".winnow", "runs"),
    });
    say(`run ${run.runId}`);
    for await (const event of run) {
      if ("seq" in event) say(`event ${"runId" in event ? event.runId : run.runId} ${event.seq}`);
    }
    const result = await run.result;
    say(`result ${result.runId}`);
    return result.runId;
  } finally {
    await corpus.close();
  }
}

/**
 * Queries `base/.winnow` until the file `base/stop` is there, or so many rounds; makes a file `base/ready-PID` after the first. Every document holds the word of one generation,
 * `generationN`: says `mixed …` where an answer is of two generations or of less than `documents` documents, and in the end
 * `queries N` and `generations N`, and `median MS`.
 */
export async function readOn(base: string, documents: number, roundsMax: number, say: Say): Promise<void> {
  const corpus = await openCorpus(join(base, ".winnow"));
  const times: number[] = [];
  const seen = new Set<string>();
  const mixed = (texts: readonly string[]): void => {
    const words = new Set(texts.map((text) => /generation[0-9]+/.exec(text)?.[0] ?? "none"));
    if (words.size !== 1 || texts.length !== documents) say(`mixed ${[...words].join(" ")}, ${texts.length} texts`);
    for (const word of words) seen.add(word);
  };
  try {
    while (times.length < roundsMax && !existsSync(join(base, "stop"))) {
      const startMs = performance.now();
      const found = await corpus.find({ text: "common", mode: "lexical", chunksMax: 10 * documents });
      times.push(performance.now() - startMs);
      mixed(found.hits.map(({ chunk }) => chunk.text));
      const grepped = await corpus.grep({ pattern: "generation[0-9]+", chunksMax: 10 * documents });
      mixed(grepped.hits.map(({ hit }) => hit.chunk.text));
      const [first] = found.hits;
      if (first !== undefined) {
        const read = await corpus.read({ documentId: first.chunk.documentId });
        if (read.length === 0) say("mixed: a document that was found cannot be read");
      }
      if (times.length === 1) await writeFile(join(base, `ready-${process.pid}`), "");
    }
  } finally {
    await corpus.close();
  }
  say(`queries ${times.length}`);
  say(`generations ${seen.size}`);
  say(`median ${times.sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0}`);
}

/** Measures a one-shot system on `base/dataset`; says `id ID` and `outcome QUERY`. */
export async function evaluateAll(base: string, resume: string | undefined, say: Say = () => {}): Promise<number> {
  const started = await evaluateDataset({
    ...{ dataset: join(base, "dataset"), cacheFolder: join(base, "cache"), policy: "find:lexical" },
    ...{ k: 5, concurrency: 2, seed: 1, signal: new AbortController().signal, profile: "chat" },
    ...(resume !== undefined && { resume }),
  });
  try {
    say(`id ${started.evaluation.id}`);
    for await (const event of started.evaluation) if (event.type === "query_end") say(`outcome ${event.outcome.query}`);
    const row = await started.evaluation.result;
    say("evaluated");
    return row.queries;
  } finally {
    await started.close();
  }
}
