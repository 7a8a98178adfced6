import { Option } from "commander";
import { wholeNumber } from "./option-values.ts";
import type { AddCommand } from "./program.ts";

/** Turns recorded runs into training data. */
export function addExportCommand(add: AddCommand): void {
  add(
    "export [runs...]",
    "Print training data made of recorded runs, one JSON object a line.",
    [
      "winnow export 20260326T1 > segments.jsonl",
      "winnow export 20260326T1 20260326T2 --format sft --max-tokens 32768",
      "winnow export --format chat",
    ],
    () => import("./commands/export.ts"),
  )
    .addOption(
      new Option(
        "--format <format>",
        "segments (ids, mask and log-probabilities), sft (ids and labels) or chat (messages and tools)",
      )
        .choices(["segments", "sft", "chat"])
        .default("segments"),
    )
    .option("--max-tokens <number>", "leave out runs with a longer segment", wholeNumber(1, 10_000_000));
}
