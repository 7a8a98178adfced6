import { believing } from "../core/believing.ts";
import { WinnowError } from "../core/errors.ts";
import { chatConversationsOf } from "../export/chat-conversations.ts";
import { exportRollouts } from "../export/rollouts.ts";
import { sftRowsOf } from "../export/sft-rows.ts";
import { O200K_HARMONY } from "../export/tokenizers.ts";
import type { RunRecord } from "../record/reader.ts";
import type { CorpusScope } from "./open-corpora.ts";
import { counterFor, openRecord } from "./open-record.ts";

export const EXPORT_FORMATS = ["segments", "sft", "chat"] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

/** Longest segment or row unless the caller says otherwise: the window of gpt-oss, tokens. */
const TOKENS_MAX_DEFAULT = 131_072;
/** Records that one call holds in memory. */
const RUNS_MAX = 1_000;

export interface ExportRunsOptions {
  /** Ids, beginnings of ids, or files, each once; `[]` for the newest run. */
  readonly runs: readonly string[];
  readonly format: ExportFormat;
  /** Runs with a longer segment or row are left out as a whole. Not used for `chat`. */
  readonly tokensMax?: number;
  readonly scope: CorpusScope;
  readonly signal: AbortSignal;
}

export interface ExportedRuns {
  /** One JSON object for each line of the export. */
  readonly lines: readonly object[];
  /** Runs that are in it. */
  readonly runs: number;
  /** Runs left out because something of theirs was too long. */
  readonly tooLong: readonly string[];
}

/**
 * Makes training data of recorded runs: `segments` for reinforcement learning, `sft` rows of ids and labels, or `chat`
 * messages. Rejects with `run_not_found`, `record_corrupt`, `limit_exceeded`, and with `invalid_argument` for runs that the
 * format cannot be made of; then nothing is exported.
 */
export async function exportRuns(options: ExportRunsOptions): Promise<ExportedRuns> {
  const { runs, format, scope, signal, tokensMax = TOKENS_MAX_DEFAULT } = options;
  if (runs.length > RUNS_MAX) throw new WinnowError("limit_exceeded", `At most ${RUNS_MAX} runs at once.`);
  const records: RunRecord[] = [];
  for (const run of runs.length === 0 ? [undefined] : runs) {
    signal.throwIfAborted();
    records.push((await openRecord(run, scope)).record);
  }
  const names = records.map(({ header }) => header.runId);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new WinnowError("invalid_argument", `Run ${twice} is given twice.`);
  if (format === "segments") {
    const limits = { vocabularySize: O200K_HARMONY.vocabularySize, tokensMax };
    const { segments, rollouts, tooLong } = believing("A record", () => exportRollouts(records, limits));
    return { lines: segments, runs: rollouts, tooLong };
  }
  if (format === "sft") return exportRows(records, tokensMax);
  const lines: object[] = [];
  for (const record of records) {
    const counter = await counterFor(record);
    lines.push(...believing("A record", () => chatConversationsOf(record, counter)));
  }
  return { lines, runs: records.length, tooLong: [] };
}

function exportRows(records: readonly RunRecord[], tokensMax: number): ExportedRuns {
  const lines: object[] = [];
  const tooLong: string[] = [];
  for (const record of records) {
    const rows = believing("A record", () => sftRowsOf(record));
    if (rows.some((row) => row.input_ids.length > tokensMax)) tooLong.push(record.header.runId);
    else lines.push(...rows);
  }
  return { lines, runs: records.length - tooLong.length, tooLong };
}
