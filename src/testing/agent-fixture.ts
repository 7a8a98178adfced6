import type { Policy } from "../agent/policy.ts";
import { chat } from "../agent/profiles/chat.ts";
import type { Profile } from "../agent/profiles/profile.ts";
import { type Run, type RunLimits, startRun } from "../agent/run.ts";
import { parseFilter } from "../core/filter-parse.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import type { RunRecord } from "../record/reader.ts";
import { recordFromLines } from "../record/reader.ts";
import { memoryRecorder } from "../record/recorder.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { memoryCorpus } from "./memory-corpus.ts";
import { wordCounter } from "./word-counter.ts";
import { randomChunks } from "./world.ts";

export interface TestRunOptions {
  readonly profile?: Profile;
  readonly counter?: TokenCounter;
  readonly corpora?: readonly CorpusReader[];
  readonly limits?: RunLimits;
  readonly signal?: AbortSignal;
  readonly query?: string;
  readonly where?: readonly string[];
  readonly exclude?: readonly string[];
  readonly temperature?: number;
}

/** Starts a run over a small random corpus with everything injected; the clock ticks one millisecond a call. */
export function startTestRun(policy: Policy, options: TestRunOptions = {}): { readonly run: Run; record(): RunRecord } {
  const counter = options.counter ?? wordCounter();
  const corpora = options.corpora ?? [memoryCorpus("test", randomChunks(40, 3, counter))];
  const recorder = memoryRecorder();
  let now = Date.UTC(2026, 0, 1);
  const run = startRun({
    query: options.query ?? "amber basin of the delta",
    library: {
      corpora,
      mode: "lexical",
      where: parseFilter(options.where ?? []),
      excludeDocuments: new Set(options.exclude ?? []),
    },
    corpora: corpora.map((corpus) => ({ name: corpus.name, generation: 1, embedder: null })),
    steering: { where: options.where ?? [], exclude: options.exclude ?? [], known: [] },
    policy,
    profile: options.profile ?? chat,
    counter,
    recorder,
    clock: { now: () => now++ },
    harness: "test",
    runId: "test-run",
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { run, record: () => recordFromLines(recorder.lines) };
}
