import { join } from "node:path";
import type { Policy } from "../agent/policy.ts";
import { ROLLOUTS_MAX, startRollouts } from "../agent/rollouts.ts";
import { newRunId, type Run, type RunLimits, startRun } from "../agent/run.ts";
import type { Library } from "../agent/tools/retrieve.ts";
import { systemClock } from "../core/clock.ts";
import { systemErrorCode, toWinnowError, WinnowError } from "../core/errors.ts";
import { parseFilter } from "../core/filter-parse.ts";
import type { Notice } from "../core/types.ts";
import { VERSION } from "../core/version.ts";
import { fileRecorder, memoryRecorder, type Recorder, recordFileName } from "../record/recorder.ts";
import type { CorpusReader } from "../retrieval/corpus-reader.ts";
import { checkWhere } from "../retrieval/find/check-where.ts";
import { absenceOf, withAbsence } from "./absence-policy.ts";
import { checkTemperature } from "./choose-policy.ts";
import { hasSessions, type ProfileSettings, profileWith } from "./profile-settings.ts";
import { searchOrder } from "./question/order-policy.ts";
import { readOrder } from "./question/question-order.ts";
import { standingNotices } from "./standing-notices.ts";

/** Where nothing can be written, a search still answers. */
const READ_ONLY: ReadonlySet<string> = new Set(["EROFS", "EACCES", "EPERM"]);
/** Longest question in UTF-16 units. */
const QUESTION_UNITS_MAX = 8_000;

export interface SearchOptions extends ProfileSettings {
  readonly question: string;
  readonly corpora: readonly CorpusReader[];
  /** One that keeps nothing between turns, or what makes one for each run. */
  readonly policy: Policy | (() => Policy | Promise<Policy>);
  /** Runs of the question whose lists are fused, 1 to `ROLLOUTS_MAX`; default 1, a run by itself. */
  readonly rollouts?: number;
  readonly documentsMax?: number;
  readonly where?: readonly string[];
  readonly exclude?: readonly string[];
  readonly known?: readonly string[];
  /** With rollouts, the limits on time and cost hold for all of them together. */
  readonly limits?: RunLimits;
  readonly seed?: number;
  /** At which a model samples, 0 to 2; default the policy's own, and `ROLLOUT_TEMPERATURE` for rollouts. */
  readonly temperature?: number;
  /** Folder for the record; nothing is written when left out. */
  readonly runsFolder?: string;
  readonly signal?: AbortSignal;
}

/**
 * Starts a run of the agent over open corpora, or rollouts of one: then every event carries its `runId`. Rejects before it starts
 * when an option cannot be used.
 */
export async function searchCorpora(options: SearchOptions): Promise<Run> {
  const question = checkedQuestion(options.question);
  const policies = await policiesFor(options);
  const [policy] = policies;
  checkTemperature(policy, options.temperature);
  const where = parseFilter(options.where ?? []);
  await checkWhere(options.corpora, where);
  const infos = await Promise.all(options.corpora.map((corpus) => corpus.info()));
  const profile = profileWith(options, {
    policy: policy?.name,
    model: policy?.model,
    hasSessions: hasSessions(infos),
  });
  const { loadTokenCounter } = await import("../models/o200k-token-counter.ts");
  const counter = await loadTokenCounter();
  const unrecorded: Notice[] = [];
  const recorderFor = (id: string): Recorder => {
    const { runsFolder } = options;
    if (runsFolder === undefined) return memoryRecorder();
    try {
      return fileRecorder(join(runsFolder, recordFileName(id)));
    } catch (error) {
      if (!READ_ONLY.has(systemErrorCode(error) ?? "")) throw toWinnowError(error, "store_failed");
      unrecorded[0] = { code: "not_recorded", message: `The run is not recorded: ${runsFolder} cannot be written.` };
      return memoryRecorder();
    }
  };
  const { mode, fusion } = profile.retrieval;
  const runId = newRunId(systemClock.now());
  const order = await readOrder(question, options.corpora, systemClock.now());
  const ordered = order === undefined ? undefined : searchOrder(order);
  const library: Library = {
    corpora: options.corpora,
    mode,
    fusion,
    where,
    excludeDocuments: new Set([...(options.exclude ?? []), ...(options.known ?? [])]),
    // What the published harness shows stays as it was published.
    ...(ordered !== undefined && !profile.name.startsWith("context-1") && { arrange: ordered.arrange }),
  };
  const absence = absenceOf(library, { text: question, order, signal: options.signal });
  const wrapped = (each: Policy): Policy => withAbsence(ordered?.withOrder(each) ?? each, absence);
  const shared = {
    query: question,
    library,
    corpora: infos.map(({ name, generation, embedder }) => ({ name, generation, embedder })),
    steering: { where: options.where ?? [], exclude: options.exclude ?? [], known: options.known ?? [] },
    profile,
    counter,
    clock: systemClock,
    harness: VERSION,
    runId,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    ...(options.documentsMax === undefined ? {} : { documentsMax: options.documentsMax }),
    ...(options.limits === undefined ? {} : { limits: options.limits }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const run =
    policy !== undefined && policies.length === 1
      ? startRun({ ...shared, policy: wrapped(policy), recorder: recorderFor(runId) })
      : startRollouts({ ...shared, policies: policies.map(wrapped), recorderFor });
  return withStanding(run, options.corpora, unrecorded);
}

function checkedQuestion(text: string): string {
  const question = text.trim();
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
  return question;
}

/** How the documents stand today is no part of the run: its result says so, its record does not. */
function withStanding(run: Run, corpora: readonly CorpusReader[], unrecorded: readonly Notice[]): Run {
  const result = run.result.then(async (ended) => {
    const standing = await standingNotices(corpora, ended.documents);
    return { ...ended, notices: [...ended.notices, ...unrecorded, ...standing] };
  });
  // As for the run's own: a caller may read only the events.
  result.catch(() => {});
  return { runId: run.runId, result, [Symbol.asyncIterator]: () => run[Symbol.asyncIterator]() };
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
