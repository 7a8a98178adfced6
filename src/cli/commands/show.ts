import { resolve } from "node:path";
import type { RenderedContext, RenderedMessage } from "../../agent/context/rendered.ts";
import { believing } from "../../core/believing.ts";
import { WinnowError } from "../../core/errors.ts";
import { stripControl } from "../../core/text.ts";
import type { CorpusScope } from "../../features/open-corpora.ts";
import { contextAt, type OpenedRecord, openRecord, resultOf } from "../../features/open-record.ts";
import { openInBrowser, VIEWED_RECORDS_MAX, writeTemporaryViewer, writeViewer } from "../../features/write-viewer.ts";
import { closingLines, printResult } from "../document-list.ts";
import { LiveView } from "../live-view.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption, textOption } from "../scope.ts";
import { inLine } from "../terminal-text.ts";

export const run: CommandRun = async (args, options, scope) => {
  const { corpusScope } = await commandContext(scope);
  const { output } = scope;
  if (textOption(options, "html") !== undefined || options["open"] === true) {
    return showPage(args, options, corpusScope, output);
  }
  if (args.length > 1) {
    throw new WinnowError("invalid_argument", "Two runs are shown side by side on a page only.", {
      hint: `winnow show ${args.slice(0, 2).join(" ")} --open`,
    });
  }
  const opened = await openRecord(args[0], corpusScope);
  const { record, path } = opened;
  const turn = numberOption(options, "turn");
  if (turn !== undefined) {
    const context = await contextAt(record, turn);
    if (output.json) output.printJson({ schema: "context/1", turn, ...context });
    else printContext(context, output);
    return 0;
  }
  if (output.json) {
    output.printJson({ schema: "record/1", path, torn: record.torn, header: record.header, events: record.events });
    return 0;
  }
  printRun(opened, output);
  return 0;
};

/** A run turn by turn, then its result. Throws `record_corrupt` where a field is not what it must be. */
export function printRun(opened: OpenedRecord, output: Output): void {
  const { record, path } = opened;
  believing(path, () => {
    const { query, runId, policy, profile, at, parent } = record.header;
    const of = parent === undefined ? "" : `, a rollout of ${parent}`;
    const { name } = profile as { readonly name: string };
    output.print(output.style("bold", stripControl(query)));
    const facts = `${runId}, policy ${policy.name}, profile ${name}, ${new Date(at).toISOString()}${of}`;
    output.print(output.style("dim", inLine(facts)));
    const view = new LiveView(output, (line) => output.print(line));
    for (const event of record.events) view.show(event);
  });
  const result = resultOf(opened);
  if (result === undefined) {
    output.print(output.style("yellow", "The run did not end: its process died, or it is still going."));
    return;
  }
  believing(path, () => {
    output.print("");
    printResult(result, output);
    for (const line of closingLines(result, output)) output.print(line);
  });
}

/** Writes the page of `--html` or `--open` and says where it is. */
async function showPage(
  args: readonly string[],
  options: Parameters<CommandRun>[1],
  corpusScope: CorpusScope,
  output: Output,
): Promise<number> {
  if (args.length > VIEWED_RECORDS_MAX || options["turn"] !== undefined) {
    throw new WinnowError("invalid_argument", "A page shows one run or two, whole.", {
      hint: "Leave out --turn; choose the turn on the page.",
    });
  }
  const opened: OpenedRecord[] = [];
  for (const wanted of args.length === 0 ? [undefined] : args) opened.push(await openRecord(wanted, corpusScope));
  const named = textOption(options, "html");
  const path = named === undefined ? await writeTemporaryViewer(opened) : resolve(named);
  if (named !== undefined) await writeViewer(opened, path);
  const isOpen = options["open"] === true && (await openInBrowser(path));
  const runs = opened.map(({ record }) => record.header.runId);
  if (output.json) output.printJson({ schema: "viewer/1", path, runs, opened: isOpen });
  else output.print(stripControl(path));
  if (options["open"] === true && !isOpen) output.say("No browser could be opened here: open this file in one.");
  return 0;
}

/** The context as the policy saw it, message by message. */
function printContext(context: RenderedContext, output: Output): void {
  for (const message of context.messages) {
    output.print(
      output.style(
        "cyan",
        inLine(`── ${message.role}${message.tool === undefined ? "" : ` ${message.tool}`} · ${message.tokens} tokens`),
      ),
    );
    if (message.reasoning !== undefined)
      output.print(output.style("dim", stripControl(message.reasoning.text.trimEnd())));
    const text = stripControl(textOf(message)).trimEnd();
    if (text !== "") output.print(text);
    for (const call of message.calls ?? [])
      output.print(output.style("bold", inLine(`→ ${call.tool} ${stripControl(JSON.stringify(call.arguments))}`)));
  }
  output.print(output.style("dim", `${context.tokens.toLocaleString("en-US")} tokens with framing and tool schemas`));
}

function textOf(message: RenderedMessage): string {
  return message.blocks.map((block) => block.text).join("");
}
