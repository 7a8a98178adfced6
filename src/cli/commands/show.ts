import type { RenderedContext, RenderedMessage } from "../../agent/context/rendered.ts";
import { believing } from "../../core/believing.ts";
import { stripControl } from "../../core/text.ts";
import { contextAt, openRecord, resultOf } from "../../features/open-record.ts";
import { closingLines, printResult } from "../document-list.ts";
import { LiveView } from "../live-view.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { commandContext, numberOption } from "../scope.ts";

export const run: CommandRun = async (args, options, scope) => {
  const { corpusScope } = await commandContext(scope);
  const opened = await openRecord(args[0], corpusScope);
  const { record, path } = opened;
  const { output } = scope;
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
  output.print(`${output.style("bold", stripControl(record.header.query))}`);
  output.print(
    output.style(
      "dim",
      `${record.header.runId}, policy ${record.header.policy.name}, profile ${(record.header.profile as { name: string }).name}, ${new Date(record.header.at).toISOString()}${record.header.parent === undefined ? "" : `, a rollout of ${record.header.parent}`}`,
    ),
  );
  const view = new LiveView(output, (line) => output.print(line));
  believing(path, () => {
    for (const event of record.events) view.show(event);
  });
  const result = resultOf(opened);
  if (result === undefined) {
    output.print(output.style("yellow", "The run did not end: its process died, or it is still going."));
    return 0;
  }
  output.print("");
  printResult(result, output);
  for (const line of closingLines(result, output)) output.print(line);
  return 0;
};

/** The context as the policy saw it, message by message. */
function printContext(context: RenderedContext, output: Output): void {
  for (const message of context.messages) {
    output.print(
      output.style(
        "cyan",
        `── ${message.role}${message.tool === undefined ? "" : ` ${message.tool}`} · ${message.tokens} tokens`,
      ),
    );
    if (message.reasoning !== undefined)
      output.print(output.style("dim", stripControl(message.reasoning.text.trimEnd())));
    const text = stripControl(textOf(message)).trimEnd();
    if (text !== "") output.print(text);
    for (const call of message.calls ?? [])
      output.print(output.style("bold", `→ ${call.tool} ${stripControl(JSON.stringify(call.arguments))}`));
  }
  output.print(output.style("dim", `${context.tokens.toLocaleString("en-US")} tokens with framing and tool schemas`));
}

function textOf(message: RenderedMessage): string {
  return message.blocks.map((block) => block.text).join("");
}
