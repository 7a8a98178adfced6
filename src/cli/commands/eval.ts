import { homedir } from "node:os";
import { join } from "node:path";
import { plural } from "../../core/text.ts";
import type { EvaluationRow } from "../../eval/evaluation-row.ts";
import { evaluateDataset } from "../../features/evaluate-dataset.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption, textOption } from "../scope.ts";

/** Longest list of a profile, and the default of `-k` here. */
const LIST_MAX = 30;

export const run: CommandRun = async (args, options, scope) => {
  const { config } = await commandContext(scope);
  const { output, signal } = scope;
  const { loadTokenCounter } = await import("../../models/o200k-token-counter.ts");
  const contextTokens = numberOption(options, "context") ?? config.settings.contextTokens;
  const pruning = textOption(options, "pruning");
  const limit = numberOption(options, "limit");
  const resume = textOption(options, "resume");
  const seconds = numberOption(options, "timeout");
  const started = await evaluateDataset({
    dataset: args[0] ?? "",
    cacheFolder: join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "winnow", "datasets"),
    policy: textOption(options, "policy") ?? config.settings.policy,
    profile: textOption(options, "profile") ?? config.settings.profile,
    contextTokens,
    k: numberOption(options, "k") ?? LIST_MAX,
    concurrency: numberOption(options, "concurrency") ?? 1,
    seed: numberOption(options, "seed") ?? 0,
    counter: await loadTokenCounter(),
    signal,
    onIndex: (progress) => output.progress(`indexing: ${plural(progress.documents, "document")}`),
    ...(pruning === "none" || pruning === "oldest" || pruning === "self-edit" ? { pruning } : {}),
    ...(limit === undefined ? {} : { limit }),
    ...(resume === undefined ? {} : { resume }),
    ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
  });
  try {
    for (const notice of started.dataset.notices) output.say(output.style("yellow", `note: ${notice.message}`));
    const begun = performance.now();
    for await (const event of started.evaluation) {
      if (event.type === "start" && event.finished > 0)
        output.say(`Going on after ${plural(event.finished, "question")}.`);
      if (event.type === "query_end") output.progress(progressLine(event.finished, event.queries, begun));
    }
    const row = await started.evaluation.result;
    if (output.json) output.printJson(row);
    else print(row, output);
    output.say(output.style("dim", `per question: ${started.folder}`));
    return row.failed > 0 ? 3 : 0;
  } finally {
    await started.close();
  }
};

function progressLine(finished: number, queries: number, begun: number): string {
  const seconds = (performance.now() - begun) / 1000;
  const left = finished === 0 ? 0 : (seconds / finished) * (queries - finished);
  return `${finished} of ${queries} questions, ${seconds.toFixed(0)} s, about ${left.toFixed(0)} s left`;
}

function print(row: EvaluationRow, output: Output): void {
  const line = (name: string, value: string): void => output.print(`  ${name.padEnd(18)}${value}`);
  const at = (values: EvaluationRow["recallAt"]): string =>
    ([2, 5, 10, 30] as const).map((k) => `@${k} ${values[k].toFixed(3)}`).join("   ");
  output.print(
    output.style("bold", `${row.policy} on ${row.dataset}`) +
      output.style("dim", `  ${plural(row.queries, "question")}, ${row.failed} failed`),
  );
  line("recall", at(row.recallAt));
  line("all gold", at(row.allGoldAt));
  line(
    "own list",
    `${row.listLength.toFixed(1)} documents: recall ${row.recall.toFixed(3)}, precision ${row.precision.toFixed(3)}, f1 ${row.f1.toFixed(3)}`,
  );
  line("trajectory recall", row.trajectoryRecall.toFixed(3));
  line(
    "prunes",
    `${row.prunes.toFixed(1)} documents a run${row.pruneAccuracy === null ? "" : `, accuracy ${row.pruneAccuracy.toFixed(3)}`}`,
  );
  line(
    "work",
    `${row.turns.toFixed(1)} turns, ${row.toolCalls.toFixed(1)} calls, ${Math.round(row.promptTokens).toLocaleString("en-US")} prompt tokens, ${row.seconds.toFixed(2)} s a question`,
  );
}
