import type { Policy } from "../../agent/policy.ts";
import type { SearchResult } from "../../agent/result.ts";
import type { Run, RunEvent } from "../../agent/run.ts";
import { choosePolicy } from "../../features/choose-policy.ts";
import { openCorpora } from "../../features/open-corpora.ts";
import { readPromptFile } from "../../features/prompt-file.ts";
import { resolveDocumentIds } from "../../features/resolve-document.ts";
import { searchCorpora } from "../../features/search-corpora.ts";
import { sinceFilter } from "../../features/since-filter.ts";
import { closingLines, printResult } from "../document-list.ts";
import { LiveView } from "../live-view.ts";
import { locateOrOffer } from "../offer-index.ts";
import type { Output } from "../output.ts";
import type { CommandRun, CommandScope } from "../program.ts";
import { agentOverrides, commandContext, numberOption, policyAccessOf, textOption, textsOption } from "../scope.ts";

/** Stop reasons after which the exit code says that the list is partial. */
const PARTIAL_EXIT = 3;
const INTERRUPTED_EXIT = 130;

export const run: CommandRun = async (args, options, scope) => {
  const { config, corpusScope } = await commandContext(scope);
  const { settings } = config;
  const since = textOption(options, "since");
  const sinceWhere = since === undefined ? [] : [sinceFilter(since)];
  const places = await locateOrOffer(corpusScope, scope);
  const promptFile = textOption(options, "prompt");
  const prompt = promptFile === undefined ? undefined : await readPromptFile(promptFile);
  const makePolicy = (): Promise<Policy> =>
    choosePolicy(textOption(options, "policy") ?? settings.policy, policyAccessOf(options, config));
  // A policy that cannot be had is reported before anything is opened.
  await makePolicy();
  const corpora = await openCorpora(corpusScope);
  try {
    const first = places[0];
    const costUsdMax = numberOption(options, "maxCost");
    const search = await searchCorpora({
      question: args.join(" "),
      corpora,
      policy: makePolicy,
      rollouts: numberOption(options, "rollouts") ?? 1,
      profile: textOption(options, "profile") ?? settings.profile,
      contextTokens: numberOption(options, "context") ?? settings.contextTokens,
      documentsMax: numberOption(options, "k") ?? settings.documents,
      where: [...textsOption(options, "where"), ...sinceWhere],
      exclude: await resolveDocumentIds(corpora, textsOption(options, "exclude"), corpusScope.workingFolder),
      known: await resolveDocumentIds(corpora, textsOption(options, "known"), corpusScope.workingFolder),
      limits: {
        turnsMax: numberOption(options, "turns") ?? settings.turns,
        timeoutMs: 1000 * (numberOption(options, "timeout") ?? settings.timeoutSeconds),
        ...(costUsdMax === undefined ? {} : { costUsdMax }),
      },
      signal: scope.signal,
      ...agentOverrides(options),
      ...(prompt === undefined ? {} : { prompt }),
      ...(options["record"] === false || first === undefined ? {} : { runsFolder: first.runsFolder }),
    });
    const result = await follow(search, scope, options["events"] === true);
    return exitCode(result);
  } finally {
    await Promise.all(corpora.map((corpus) => corpus.close()));
  }
};

/** Shows a run while it goes on, then its result, in the form asked for. */
async function follow(search: Run, { output }: CommandScope, events: boolean): Promise<SearchResult> {
  const views = new Map<string, LiveView>();
  const told = new Set<string>();
  for await (const event of search) {
    if (events) output.printJsonLine(event);
    else if (!output.json) viewOf(event, search.runId, { views, told, output }).show(event);
  }
  const result = await search.result;
  if (events) return result;
  if (output.json) output.printJson(result);
  else {
    output.say("");
    printResult(result, output);
    output.say("");
    for (const { message } of result.notices) {
      if (!told.has(message)) output.say(output.style("yellow", `note: ${message}`));
    }
    if (result.error !== undefined) output.say(output.style("red", `error: ${result.error.message}`));
    for (const line of closingLines(result, output)) output.say(line);
  }
  return result;
}

interface Shown {
  readonly views: Map<string, LiveView>;
  /** Messages of the notices that are on the screen already. */
  readonly told: Set<string>;
  readonly output: Output;
}

/** The view of the run that an event belongs to: rollouts go on side by side, so each of their lines says whose it is. */
function viewOf(event: RunEvent, searchId: string, { views, told, output }: Shown): LiveView {
  const runId = "runId" in event && typeof event.runId === "string" ? event.runId : searchId;
  const known = views.get(runId);
  if (known !== undefined) return known;
  const mark = runId === searchId ? "" : output.style("dim", `${runId.slice(searchId.length + 1).padStart(2)} │ `);
  const view = new LiveView(output, (line) => output.say(`${mark}${line}`), told);
  views.set(runId, view);
  return view;
}

function exitCode(result: SearchResult): number {
  if (result.stopReason === "finished") return 0;
  if (result.stopReason === "cancelled") return INTERRUPTED_EXIT;
  return result.stopReason === "policy_error" || result.stopReason === "retrieval_error" ? 1 : PARTIAL_EXIT;
}
