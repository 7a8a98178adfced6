import { WinnowError } from "../core/errors.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import { locateCorpora } from "../features/open-corpora.ts";
import { findRun } from "../features/runs.ts";
import { type RunRecord, readRecord } from "../record/reader.ts";
import { corpusLayout } from "../retrieval/corpus/layout.ts";
import type { CommandScope } from "./program.ts";
import { commandContext } from "./scope.ts";

/** The record that a command names: an id, the beginning of one, a file, or nothing for the newest. */
export async function openRecord(
  wanted: string | undefined,
  scope: CommandScope,
): Promise<{ readonly record: RunRecord; readonly path: string }> {
  const isFile = wanted?.endsWith(".jsonl") === true;
  const { corpusScope } = await commandContext(scope);
  const folders = isFile ? [] : (await locateCorpora(corpusScope)).map(({ folder }) => corpusLayout(folder).runsFolder);
  const path = await findRun(wanted, folders);
  return { record: await readRecord(path), path };
}

/** The counter that a record was made with. */
export async function counterFor(record: RunRecord): Promise<TokenCounter> {
  const { loadTokenCounter } = await import("../models/o200k-token-counter.ts");
  const counter = await loadTokenCounter();
  if (counter.name === record.header.tokenCounter) return counter;
  throw new WinnowError(
    "record_corrupt",
    `The record was counted with "${record.header.tokenCounter}", which is not known here.`,
    {
      hint: "Open it with the version of Winnow that wrote it.",
    },
  );
}
