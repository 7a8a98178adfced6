import type { RenderedContext } from "../agent/context/rendered.ts";
import { replayRecord } from "../agent/replay-record.ts";
import { type SearchResult, toResult } from "../agent/result.ts";
import { believing } from "../core/believing.ts";
import { WinnowError } from "../core/errors.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import { type RunRecord, readRecord } from "../record/reader.ts";
import { type CorpusScope, locateCorpora } from "./open-corpora.ts";
import { findRun } from "./runs.ts";

export interface OpenedRecord {
  readonly record: RunRecord;
  readonly path: string;
}

/** The record that a caller names: an id, the beginning of one, a file, or nothing for the newest run. */
export async function openRecord(wanted: string | undefined, scope: CorpusScope): Promise<OpenedRecord> {
  const isFile = wanted?.endsWith(".jsonl") === true;
  const folders = isFile ? [] : (await locateCorpora(scope)).map((place) => place.runsFolder);
  const path = await findRun(wanted, folders);
  return { record: await readRecord(path), path };
}

/** The counter that a record was made with. Rejects with `record_corrupt` when it is not known here. */
export async function counterFor({ header }: RunRecord): Promise<TokenCounter> {
  const { loadTokenCounter } = await import("../models/o200k-token-counter.ts");
  const counter = await loadTokenCounter();
  if (counter.name === header.tokenCounter) return counter;
  throw new WinnowError(
    "record_corrupt",
    `The record was counted with "${header.tokenCounter}", which is not known here.`,
    {
      hint: "Open it with the version of Winnow that wrote it.",
    },
  );
}

/** The result of a finished run, or undefined when its record has no end. */
export function resultOf({ record, path }: OpenedRecord): SearchResult | undefined {
  const end = record.events.at(-1);
  return end?.type === "end" ? believing(path, () => toResult(record.header, record.events, end, path)) : undefined;
}

/** The context exactly as the policy saw it at its first attempt of a turn. Rejects with `invalid_argument`. */
export async function contextAt(record: RunRecord, turn: number): Promise<RenderedContext> {
  const counter = await counterFor(record);
  const context = believing("The record", () => {
    for (const decision of replayRecord(record, counter)) if (decision.turn === turn) return decision.context;
    return undefined;
  });
  if (context !== undefined) return context;
  throw new WinnowError("invalid_argument", `The run has no turn ${turn}.`, { hint: "winnow show lists its turns." });
}
