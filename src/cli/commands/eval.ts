import { writeFile } from "node:fs/promises";
import { shellCommand } from "../../core/shell-command.ts";
import { plural } from "../../core/text.ts";
import { modelPolicyFor } from "../../features/choose-policy.ts";
import { type EvaluateDatasetOptions, evaluateDataset } from "../../features/evaluate-dataset.ts";
import { resolveProfileName } from "../../features/profile-settings.ts";
import { readPromptFile } from "../../features/prompt-file.ts";
import {
  cutOffsTable,
  type EvaluationReport,
  estimateText,
  evaluationMarkdown,
  reportEvaluation,
} from "../../features/report-evaluation.ts";
import { textTable } from "../../features/report-table.ts";
import { datasetsFolder } from "../datasets-folder.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { agentOverrides, commandContext, numberOption, policyAccessOf, textOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";

/** Longest list of a profile, and the default of `-k` here. */
const LIST_MAX = 30;

type EvaluationSettings = Omit<EvaluateDatasetOptions, "cacheFolder" | "signal" | "resume" | "onIndex">;

export const run: CommandRun = async (args, options, scope) => {
  const { config } = await commandContext(scope);
  const { output, signal } = scope;
  const contextTokens = numberOption(options, "context") ?? config.settings.contextTokens;
  const limit = numberOption(options, "limit");
  const resume = textOption(options, "resume");
  const seconds = numberOption(options, "timeout");
  const markdown = textOption(options, "markdown");
  const promptFile = textOption(options, "prompt");
  const settings: EvaluationSettings = {
    dataset: args[0] ?? "",
    policy: textOption(options, "policy") ?? config.settings.policy,
    profile: textOption(options, "profile") ?? config.settings.profile,
    contextTokens,
    k: numberOption(options, "k") ?? LIST_MAX,
    concurrency: numberOption(options, "concurrency") ?? 1,
    seed: numberOption(options, "seed") ?? 0,
    ...agentOverrides(options),
    ...(promptFile === undefined ? {} : { prompt: await readPromptFile(promptFile) }),
    ...(limit === undefined ? {} : { limit }),
    ...(seconds === undefined ? {} : { timeoutMs: seconds * 1000 }),
  };
  const model = await modelPolicyFor(settings.policy, policyAccessOf(options, config));
  const started = await evaluateDataset({
    ...settings,
    ...(model === undefined ? {} : { createPolicy: () => model }),
    cacheFolder: datasetsFolder(),
    signal,
    onIndex: (progress) => output.progress(`indexing: ${plural(progress.documents, "document")}`),
    ...(resume === undefined ? {} : { resume }),
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
    if (!output.json || markdown !== undefined) {
      const queries = new Set(started.dataset.queries.map(({ id }) => id));
      const report = await reportEvaluation(started.folder, row, queries);
      if (!output.json) print(report, output);
      if (markdown !== undefined) {
        const notes = started.dataset.notices.map(({ message }) => message);
        await writeFile(markdown, evaluationMarkdown(report, reproducingCommand(settings, options), notes));
        output.say(`written: ${markdown}`);
      }
    }
    output.say(output.style("dim", `per question: ${shownPlace(started.folder)}`));
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

/** With every setting that has a say, so that defaults and configuration files of another place do not. */
function reproducingCommand(settings: EvaluationSettings, options: Readonly<Record<string, unknown>>): string {
  const { dataset, policy, profile, prompt, contextTokens, pruning, pruneBatchShare, history } = settings;
  const { softNotice, usageLine, temperature, k, concurrency, seed, limit, timeoutMs } = settings;
  const named: readonly (readonly [string, string | number | undefined])[] = [
    ["--policy", policy],
    ["--base-url", textOption(options, "baseUrl")],
    ["--api-key-env", textOption(options, "apiKeyEnv")],
    ["--profile", resolveProfileName(profile, policy)],
    ["--prompt", prompt?.name],
    ["--context", contextTokens],
    ["--pruning", pruning],
    ["--prune-batch", pruneBatchShare],
    ["--history", history],
    ["--soft-notice", softNotice],
    ["--usage-line", usageLine],
    ["--temperature", temperature],
    ["-k", k],
    ["--concurrency", concurrency],
    ["--seed", seed],
    ["--limit", limit],
    ["--timeout", timeoutMs === undefined ? undefined : timeoutMs / 1000],
  ];
  const words = named.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
  return shellCommand(["winnow", "eval", dataset, ...words]);
}

function print(report: EvaluationReport, output: Output): void {
  const { row } = report;
  const line = (name: string, value: string): void => output.print(`  ${name.padEnd(18)}${value}`);
  const mean = (name: string): string => estimateText(report, name);
  output.print(
    output.style("bold", `${row.policy} on ${row.dataset}`) +
      output.style("dim", `  ${plural(row.queries, "question")}, ${row.failed} failed; 95 % intervals`),
  );
  for (const text of textTable(cutOffsTable(report))) output.print(`  ${text}`);
  line("own list", `${mean("listLength")} documents`);
  for (const name of ["recall", "precision", "f1"]) line(`  ${name}`, mean(name));
  if (row.answerFound !== null) line("answer found", mean("answerFound"));
  line("trajectory recall", mean("trajectoryRecall"));
  line("prunes", `${mean("prunes")} documents a run`);
  if (row.pruneAccuracy !== null) line("prune accuracy", mean("pruneAccuracy"));
  line("work", `${mean("turns")} turns, ${mean("toolCalls")} calls`);
  line("prompt tokens", mean("promptTokens"));
  line("seconds", `${mean("seconds")} a question`);
}
