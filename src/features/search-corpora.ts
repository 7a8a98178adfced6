import { join } from "node:path";
import type { Policy } from "../agent/policy.ts";
import { type Profile, withLimit } from "../agent/profiles/profile.ts";
import { profileByName } from "../agent/profiles/profiles.ts";
import { withPrompt } from "../agent/profiles/prompt-template.ts";
import { ROLLOUTS_MAX, startRollouts } from "../agent/rollouts.ts";
import { newRunId, type Run, type RunLimits, startRun } from "../agent/run.ts";
import { systemClock } from "../core/clock.ts";
import { WinnowError } from "../core/errors.ts";
import { parseFilter } from "../core/filter-parse.ts";
import { VERSION } from "../core/version.ts";
import { fileRecorder, memoryRecorder, type Recorder, recordFileName } from "../record/recorder.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { checkWhere } from "../retrieval/find/check-where.ts";
import type { PromptFile } from "./prompt-file.ts";

/** Longest question in UTF-16 units. */
const QUESTION_UNITS_MAX = 8_000;

export interface SearchOptions {
  readonly question: string;
  readonly corpora: readonly CorpusReader[];
  /** One that keeps nothing between turns, or what makes one for each run. */
  readonly policy: Policy | (() => Policy | Promise<Policy>);
  /** Runs of the question whose lists are fused, 1 to `ROLLOUTS_MAX`; default 1, a run by itself. */
  readonly rollouts?: number;
  readonly profile: string;
  /** Size of the window in tokens; the profile's own when left out. */
  readonly contextTokens?: number;
  readonly pruning?: Profile["pruning"];
  /** Stands in for the profile's prompt. */
  readonly prompt?: PromptFile;
  readonly documentsMax?: number;
  readonly where?: readonly string[];
  readonly exclude?: readonly string[];
  readonly known?: readonly string[];
  /** With rollouts, the limits on time and cost hold for all of them together. */
  readonly limits?: RunLimits;
  readonly seed?: number;
  /** Folder for the record; nothing is written when left out. */
  readonly runsFolder?: string;
  readonly signal?: AbortSignal;
}

/**
 * Starts a run of the agent over open corpora, or rollouts of one: then every event carries its `runId`. Rejects before it starts
 * when an option cannot be used.
 */
export async function searchCorpora(options: SearchOptions): Promise<Run> {
  const question = options.question.trim();
  if (question === "")
    throw new WinnowError("invalid_argument", "The question is empty.", {
      hint: 'Example: winnow search "what did we decide about X?"',
    });
  if (question.length > QUESTION_UNITS_MAX) {
    throw new WinnowError(
      "limit_exceeded",
      `The question has ${question.length} characters; the limit is ${QUESTION_UNITS_MAX}.`,
      { hint: "Ask a shorter one." },
    );
  }
  const policies = await policiesFor(options);
  const [policy] = policies;
  const profile = profileFor(options, policy);
  const where = parseFilter(options.where ?? []);
  await checkWhere(options.corpora, where);
  const infos = await Promise.all(options.corpora.map((corpus) => corpus.info()));
  const { loadTokenCounter } = await import("../models/o200k-token-counter.ts");
  const counter = await loadTokenCounter();
  const recorderFor = (id: string): Recorder =>
    options.runsFolder === undefined ? memoryRecorder() : fileRecorder(join(options.runsFolder, recordFileName(id)));
  const { mode, fusion } = profile.retrieval;
  const runId = newRunId(systemClock.now());
  const shared = {
    query: question,
    library: {
      corpora: options.corpora,
      mode,
      fusion,
      where,
      excludeDocuments: new Set([...(options.exclude ?? []), ...(options.known ?? [])]),
    },
    corpora: infos.map(({ name, generation, embedder }) => ({ name, generation, embedder })),
    steering: { where: options.where ?? [], exclude: options.exclude ?? [], known: options.known ?? [] },
    profile,
    counter,
    clock: systemClock,
    harness: VERSION,
    runId,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.documentsMax === undefined ? {} : { documentsMax: options.documentsMax }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  if (policy !== undefined && policies.length === 1) {
    return startRun({ ...shared, policy, recorder: recorderFor(runId) });
  }
  return startRollouts({ ...shared, policies, recorderFor });
}

async function policiesFor({ policy, rollouts = 1 }: SearchOptions): Promise<Policy[]> {
  if (!Number.isInteger(rollouts) || rollouts < 1 || rollouts > ROLLOUTS_MAX) {
    throw new WinnowError("invalid_argument", `The number of rollouts is 1 to ${ROLLOUTS_MAX}, not ${rollouts}.`, {
      hint: "Example: --rollouts 4",
    });
  }
  const each = Array.from({ length: rollouts }, () => (typeof policy === "function" ? policy() : policy));
  return Promise.all(each);
}

function profileFor(options: SearchOptions, policy: Policy | undefined): Profile {
  let profile = profileByName(options.profile, policy);
  if (options.contextTokens !== undefined) profile = withLimit(profile, options.contextTokens);
  if (options.pruning !== undefined) profile = { ...profile, pruning: options.pruning };
  if (options.prompt !== undefined) profile = withPrompt(profile, options.prompt.template, options.prompt.name);
  return profile;
}
