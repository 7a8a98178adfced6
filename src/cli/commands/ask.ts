import type { SearchResult } from "../../agent/result.ts";
import { oneLine, stripControl } from "../../core/text.ts";
import { type Answered, answerFrom } from "../../features/ask-question.ts";
import { progressLine } from "../../features/callers/search-answer.ts";
import { chatModelFor } from "../../features/choose-policy.ts";
import { citationLine, citationOf } from "../../features/citation.ts";
import { searchWorkspace } from "../../features/search-workspace.ts";
import { openWorkspace } from "../../features/workspace.ts";
import { closingLines, printResult } from "../document-list.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption, policyAccessOf, textOption, textsOption } from "../scope.ts";

const STATEMENT_UNITS_MAX = 2_000;
const PARTIAL_EXIT = 3;

export const run: CommandRun = async (args, options, { output, signal, corpora }) => {
  const { config } = await commandContext({ corpora });
  const policy = textOption(options, "policy") ?? config.settings.policy;
  // A policy that chats answers as well, unless another model is named.
  const model = await chatModelFor(textOption(options, "model") ?? policy, policyAccessOf(options, config));
  const workspace = await openWorkspace({
    workingFolder: process.cwd(),
    environment: process.env,
    corpora,
    policy,
    baseUrl: textOption(options, "baseUrl"),
    apiKeyEnv: textOption(options, "apiKeyEnv"),
  });
  try {
    const since = textOption(options, "since");
    const search = await searchWorkspace(workspace, {
      question: args.join(" "),
      documents: numberOption(options, "k"),
      where: textsOption(options, "where"),
      since,
      signal,
    });
    for await (const event of search) {
      const line = progressLine(event);
      if (line !== undefined) output.progress(line);
    }
    const result = await search.result;
    if (model !== undefined && result.documents.length > 0) output.progress(`${model.name} answers`);
    const answered = await answerFrom(result, model, signal);
    if (output.json) output.printJson(answered);
    else print(answered, output);
    return answered.failure === null ? exitCode(result) : PARTIAL_EXIT;
  } finally {
    await workspace.close();
  }
};

function print(answered: Answered, output: Output): void {
  const { answer, search, notices } = answered;
  if (answer === null || answer.statements.length === 0) {
    if (answer !== null) output.print("The documents do not answer this.");
    printResult(search, output);
  } else {
    for (const { text, citations } of answer.statements) {
      const marks = [...new Set(citations.map(({ rank }) => `[${rank}]`))].join("");
      const unshown = output.style("yellow", "(shown by no passage)");
      output.print(
        `${oneLine(stripControl(text), STATEMENT_UNITS_MAX)} ${marks === "" ? unshown : output.style("cyan", marks)}`,
      );
    }
    output.print("");
    printSources(answered, output);
  }
  output.say("");
  if (answered.failure !== null) {
    const { message, hint } = answered.failure;
    output.say(output.style("red", `No answer, only the documents: ${stripControl(message)}`));
    if (hint !== null) output.say(`hint: ${stripControl(hint)}`);
  }
  for (const notice of [...notices, ...search.notices.map(({ message }) => message)]) {
    output.say(output.style("yellow", `note: ${stripControl(notice)}`));
  }
  for (const line of closingLines(search, output)) output.say(line);
}

/** The documents that statements cite, each with the first line that was quoted of it. */
function printSources({ answer, search }: Answered, output: Output): void {
  const cited = (answer?.statements ?? []).flatMap(({ citations }) => citations);
  for (const document of search.documents) {
    const citation = cited.find(({ rank }) => rank === document.rank);
    if (citation === undefined) continue;
    const { line } = citation;
    const place = citationLine(citationOf({ ...document, line }, process.cwd()));
    output.print(
      `${output.style("cyan", `[${document.rank}]`)} ${oneLine(stripControl(document.title), 90)}  ${place}`,
    );
  }
}

function exitCode({ stopReason }: SearchResult): number {
  if (stopReason === "finished") return 0;
  return stopReason === "policy_error" || stopReason === "retrieval_error" ? 1 : PARTIAL_EXIT;
}
