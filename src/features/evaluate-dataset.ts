import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Policy } from "../agent/policy.ts";
import { hashOf, type Profile } from "../agent/profiles/profile.ts";
import { startRun } from "../agent/run.ts";
import { Trajectory } from "../agent/trajectory.ts";
import { systemClock } from "../core/clock.ts";
import { WinnowError } from "../core/errors.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import { VERSION } from "../core/version.ts";
import { CORPUS_FILE, corpusSource } from "../eval/corpus-source.ts";
import { type Dataset, loadDataset } from "../eval/dataset.ts";
import type { SystemAnswer } from "../eval/query-outcome.ts";
import { type EvaluatedSystem, type Evaluation, evaluate } from "../eval/run-evaluation.ts";
import { fileRecorder, recordFileName } from "../record/recorder.ts";
import { CORPUS_FOLDER_NAME, corpusLayout } from "../retrieval/corpus/layout.ts";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import type { CorpusInfo, CorpusReader, FindMode } from "../retrieval/corpus-reader.ts";
import { DEFAULT_FEEDBACK, type FeedbackSettings } from "../retrieval/find/feedback.ts";
import { DEFAULT_FUSION, type FusionSettings, fusionName } from "../retrieval/find/fusion-settings.ts";
import { checkTemperature, choosePolicy } from "./choose-policy.ts";
import { type FindDocumentsOptions, findDocuments } from "./find-documents.ts";
import { type IndexProgress, indexCorpus } from "./index-corpus.ts";
import { defaultParts } from "./indexing/default-parts.ts";
import { queryModels } from "./indexing/embedders.ts";
import { hasSessions, type ProfileSettings, profileWith } from "./profile-settings.ts";

/** Another one gives other index folders: how documents are named and told apart within an index must not change under it. */
const INDEX_LAYOUT = "blocks/1\n";
const ROW_MARK = `${CORPUS_FILE}#`;
const FIND_PREFIX = "find:";
const FEEDBACK_SUFFIX = "+prf";
const FIND_MODES: readonly FindMode[] = ["lexical", "dense", "hybrid"];
const ONE_SHOT_SYSTEMS = [...FIND_MODES, `lexical${FEEDBACK_SUFFIX}`, `hybrid${FEEDBACK_SUFFIX}`];

export interface EvaluateDatasetOptions extends ProfileSettings {
  /** Folder in the BEIR layout. Nothing is written there. */
  readonly dataset: string;
  /** Folder under which the dataset's index and evaluations are kept, by content. */
  readonly cacheFolder: string;
  /** `rules`, `scripted:FILE`, or a one-shot system: `find:lexical`, `find:dense`, `find:hybrid`. */
  readonly policy: string;
  /** At which a model samples, 0 to 2; default the policy's own. */
  readonly temperature?: number;
  /** Longest list, documents. */
  readonly k: number;
  readonly concurrency: number;
  readonly seed: number;
  /** First questions only. */
  readonly limit?: number;
  readonly resume?: string;
  readonly timeoutMs?: number;
  /** Makes the policy of each run in place of what `policy` names: a model with its address, or a variant to measure. */
  readonly createPolicy?: () => Policy;
  /** Default the profile's. */
  readonly mode?: FindMode;
  /** How hybrid search joins its halves. Default the profile's; for a one-shot system `DEFAULT_FUSION`. */
  readonly fusion?: FusionSettings;
  readonly signal: AbortSignal;
  onIndex?(progress: IndexProgress): void;
}

export interface StartedEvaluation {
  readonly evaluation: Evaluation;
  readonly dataset: Dataset;
  /** Folder of this evaluation's files. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Indexes a dataset unless that is done, and starts an evaluation on it. Rejects with `dataset_invalid` and the like. */
export async function evaluateDataset(options: EvaluateDatasetOptions): Promise<StartedEvaluation> {
  await checkFolder(options.dataset);
  const whole = await loadDataset(options.dataset, options.signal);
  const dataset = options.limit === undefined ? whole : { ...whole, queries: whole.queries.slice(0, options.limit) };
  const folder = await indexDataset(whole, options);
  const corpus = await openCorpus(folder, { name: dataset.name, ...queryModels() });
  const { evaluationsFolder } = corpusLayout(folder);
  const profile = profileOf(options, await corpus.info());
  const { loadTokenCounter } = await import("../models/o200k-token-counter.ts");
  const system = await systemFor(options, corpus, { profile, counter: await loadTokenCounter(), folder });
  const evaluation = evaluate({
    dataset,
    system: system.run,
    folder: evaluationsFolder,
    policy: system.policy,
    profile: system.profile,
    retrieval: system.retrieval,
    k: options.k,
    concurrency: options.concurrency,
    seed: options.seed,
    signal: options.signal,
    ...(options.resume === undefined ? {} : { id: options.resume }),
  });
  return { evaluation, dataset, folder: join(evaluationsFolder, evaluation.id), close: () => corpus.close() };
}

async function checkFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new WinnowError("dataset_invalid", `There is no folder ${folder}.`, {
    hint: "A dataset is a folder with corpus.jsonl, queries.jsonl and qrels.tsv.",
  });
}

/**
 * The index of a dataset lies under the hash of its corpus and of how it is built: a changed corpus is another index, and
 * sets of questions over one corpus share theirs.
 */
async function indexDataset(dataset: Dataset, options: EvaluateDatasetOptions): Promise<string> {
  const hash = createHash("sha256").update(INDEX_LAYOUT);
  for await (const part of createReadStream(dataset.corpusFile)) hash.update(part as Buffer);
  // An index keeps its embedder: a version with another one must not measure the index of an older version.
  hash.update(JSON.stringify(defaultParts.identity));
  const name = `${basename(dirname(dataset.corpusFile))}-${hash.digest("hex").slice(0, 12)}`;
  const folder = join(options.cacheFolder, name, CORPUS_FOLDER_NAME);
  const parts = { ...defaultParts, createSource: async () => corpusSource(dataset.corpusFile) };
  // Named as if it lay in the cache, so that the index does not depend on where the dataset is kept.
  const paths = [join(options.cacheFolder, name, CORPUS_FILE)];
  await indexCorpus(
    { folder, paths, parts, signal: options.signal },
    { onProgress: (progress) => options.onIndex?.(progress) },
  );
  return folder;
}

interface NamedSystem {
  readonly run: EvaluatedSystem;
  /** With the temperature where one is set: another one is another system. */
  readonly policy: string;
  readonly profile: string;
  readonly retrieval: string;
}

async function systemFor(
  options: EvaluateDatasetOptions,
  corpus: CorpusReader,
  { profile, counter, folder }: { readonly profile: Profile; readonly counter: TokenCounter; readonly folder: string },
): Promise<NamedSystem> {
  const info = await corpus.info();
  if (options.policy.startsWith(FIND_PREFIX)) {
    const system = options.policy.slice(FIND_PREFIX.length);
    const feedback = system.endsWith(FEEDBACK_SUFFIX) ? DEFAULT_FEEDBACK : undefined;
    const mode = FIND_MODES.find((name) => name === system.replace(FEEDBACK_SUFFIX, ""));
    if (mode === undefined || !ONE_SHOT_SYSTEMS.includes(system)) {
      throw new WinnowError("policy_unavailable", `There is no one-shot system "${options.policy}".`, {
        hint: `One-shot systems: ${ONE_SHOT_SYSTEMS.map((name) => FIND_PREFIX + name).join(", ")}.`,
      });
    }
    checkTemperature({ name: options.policy }, options.temperature);
    const { fusion, k } = options;
    const expansion = { ...(feedback && { feedback }), ...(fusion && { fusion }) };
    const run = oneShot(corpus, { mode, documentsMax: k, ...expansion });
    return {
      run,
      policy: options.policy,
      profile: "none",
      retrieval: describe(mode, info.embedder, fusion) + describeFeedback(feedback),
    };
  }
  const createPolicy = options.createPolicy ?? (() => choosePolicy(options.policy));
  checkTemperature(await createPolicy(), options.temperature);
  const policy = options.temperature === undefined ? options.policy : `${options.policy} T=${options.temperature}`;
  const name = `${profile.name}@${profile.version}/${profile.budget.limit}/${profile.pruning}#${hashOf(profile)}`;
  const run = agent(options, { corpus, profile, counter, createPolicy, runsFolder: corpusLayout(folder).runsFolder });
  return {
    run,
    policy,
    profile: name,
    retrieval: describe(profile.retrieval.mode, info.embedder, profile.retrieval.fusion),
  };
}

function describe(mode: FindMode, embedder: string | null, fusion: FusionSettings = DEFAULT_FUSION): string {
  return embedder === null && mode === "hybrid"
    ? "lexical (no vectors)"
    : `${mode}${mode === "lexical" || embedder === null ? "" : ` ${embedder}`}${mode === "hybrid" ? ` ${fusionName(fusion)}` : ""}`;
}

/** Rows of the index are named `<path of corpus.jsonl>#<id>`; the dataset knows them as `<id>`. */
function datasetId(documentId: string): string {
  const at = documentId.indexOf(ROW_MARK);
  return at < 0 ? documentId : documentId.slice(at + ROW_MARK.length);
}

function describeFeedback(feedback: FeedbackSettings | undefined): string {
  if (feedback === undefined) return "";
  return `, rm3 ${feedback.chunks} chunks ${feedback.terms} terms ${feedback.queryShare}`;
}

function oneShot(corpus: CorpusReader, how: Omit<FindDocumentsOptions, "text">): EvaluatedSystem {
  return async (query, signal): Promise<SystemAnswer> => {
    const start = performance.now();
    const found = await findDocuments([corpus], { ...how, text: query.text, signal });
    const documents = found.documents.map((document) => datasetId(document.id));
    const seconds = (performance.now() - start) / 1000;
    const none = { pruned: [], turns: 0, toolCalls: 1, promptTokens: 0, completionTokens: 0 };
    return { documents, seen: documents, ...none, seconds, stopReason: "finished" };
  };
}

interface AgentParts {
  readonly corpus: CorpusReader;
  readonly profile: Profile;
  readonly counter: TokenCounter;
  readonly createPolicy: () => Policy | Promise<Policy>;
  readonly runsFolder: string;
}

function agent(
  options: EvaluateDatasetOptions,
  { corpus, profile, counter, createPolicy, runsFolder }: AgentParts,
): EvaluatedSystem {
  return async (query, signal): Promise<SystemAnswer> => {
    const { generation, embedder } = await corpus.info();
    const runId = `eval-${systemClock.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
    const run = startRun({
      query: query.text,
      library: {
        corpora: [corpus],
        mode: profile.retrieval.mode,
        fusion: profile.retrieval.fusion,
        where: [],
        excludeDocuments: new Set(),
      },
      corpora: [{ name: corpus.name, generation, embedder }],
      steering: { where: [], exclude: [], known: [] },
      policy: await createPolicy(),
      profile,
      counter,
      recorder: fileRecorder(join(runsFolder, recordFileName(runId))),
      clock: systemClock,
      harness: VERSION,
      runId,
      seed: options.seed,
      ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
      documentsMax: Math.min(options.k, profile.documentsMax),
      limits: options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs },
      signal,
    });
    const trajectory = new Trajectory();
    for await (const event of run) {
      if (event.type === "tool_result" || event.type === "edit") trajectory.apply(event);
    }
    const result = await run.result;
    if (result.stopReason === "cancelled") signal.throwIfAborted();
    if (result.error !== undefined) throw new WinnowError("policy_failed", result.error.message);
    const { turns, toolCalls, promptTokens, completionTokens, seconds } = result.usage;
    return {
      documents: result.documents.map((document) => datasetId(document.id)),
      seen: trajectory.seenDocuments().map(datasetId),
      pruned: trajectory.prunedDocuments().map(datasetId),
      turns,
      toolCalls,
      promptTokens,
      completionTokens,
      seconds,
      stopReason: result.stopReason,
    };
  };
}

function profileOf(options: EvaluateDatasetOptions, info: CorpusInfo): Profile {
  const profile = profileWith(options, {
    policy: options.policy,
    model: options.createPolicy?.().model,
    hasSessions: hasSessions([info]),
  });
  const { mode = profile.retrieval.mode, fusion = profile.retrieval.fusion } = options;
  return { ...profile, retrieval: { ...profile.retrieval, mode, fusion } };
}
