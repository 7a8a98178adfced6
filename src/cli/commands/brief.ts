import type { Policy } from "../../agent/policy.ts";
import { oneLine, stripControl } from "../../core/text.ts";
import { type Brief, type BriefDocument, briefTask } from "../../features/brief-task.ts";
import { choosePolicy } from "../../features/choose-policy.ts";
import { openCorpora } from "../../features/open-corpora.ts";
import { sinceFilter } from "../../features/since-filter.ts";
import { locateOrOffer } from "../offer-index.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption, policyAccessOf, textOption, textsOption } from "../scope.ts";
import { shownPlace } from "../shown-place.ts";

const TITLE_UNITS_MAX = 100;
const LINE_UNITS_MAX = 200;

export const run: CommandRun = async (args, options, scope) => {
  const { config, corpusScope } = await commandContext(scope);
  const { settings } = config;
  const since = textOption(options, "since");
  const [place] = await locateOrOffer(corpusScope, scope);
  const policy = (): Promise<Policy> =>
    choosePolicy(textOption(options, "policy") ?? settings.policy, policyAccessOf(options, config));
  await policy();
  const corpora = await openCorpora(corpusScope);
  try {
    const brief = await briefTask({
      task: args.join(" "),
      corpora,
      policy,
      profile: textOption(options, "profile") ?? settings.profile,
      contextTokens: numberOption(options, "context") ?? settings.contextTokens,
      where: [...textsOption(options, "where"), ...(since === undefined ? [] : [sinceFilter(since)])],
      timeoutMs: 1000 * settings.timeoutSeconds,
      signal: scope.signal,
      ...(place === undefined ? {} : { runsFolder: place.runsFolder }),
    });
    if (scope.output.json) scope.output.printJson(brief);
    else print(brief, scope.output);
    return 0;
  } finally {
    await Promise.all(corpora.map((corpus) => corpus.close()));
  }
};

function print(brief: Brief, output: Output): void {
  printGroup("Load", "read these before starting", brief.load, output);
  printGroup("Keep at hand", "open when the work touches them", brief.keep, output);
  printGroup("Ignore", "looks related, better left alone", brief.ignore, output);
  for (const notice of brief.notices) output.say(output.style("yellow", `note: ${notice.message}`));
  if (brief.recordPath !== null) output.say(output.style("dim", `record: ${shownPlace(brief.recordPath)}`));
}

function printGroup(name: string, meaning: string, documents: readonly BriefDocument[], output: Output): void {
  output.print(`${output.style("bold", name)}  ${output.style("dim", `${meaning} (${documents.length})`)}`);
  for (const document of documents) {
    const date = document.date?.slice(0, 10) ?? "no date   ";
    const repository = document.repository === undefined ? "" : `${oneLine(stripControl(document.repository), 40)}  `;
    const place = output.style("cyan", `${shownPlace(document.uri)}:${document.line}`);
    output.print(
      `  ${output.style("dim", date)} ${repository}${oneLine(stripControl(document.title), TITLE_UNITS_MAX)}  ${place}`,
    );
    const lines = [document.about, document.why].map((line) => oneLine(stripControl(line), LINE_UNITS_MAX));
    for (const line of lines) if (line !== "") output.print(output.style("dim", `             ${line}`));
  }
  output.print("");
}
