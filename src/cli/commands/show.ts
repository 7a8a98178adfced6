import { messageText, type RenderedContext } from "../../agent/context/rendered.ts";
import { replayRecord } from "../../agent/replay-record.ts";
import { toResult } from "../../agent/result.ts";
import { WinnowError } from "../../core/errors.ts";
import { stripControl } from "../../core/text.ts";
import { closingLines, printResult } from "../document-list.ts";
import { LiveView } from "../live-view.ts";
import type { Output } from "../output.ts";
import type { CommandRun } from "../program.ts";
import { counterFor, openRecord } from "../record-scope.ts";
import { numberOption } from "../scope.ts";

export const run: CommandRun = async (args, options, scope) => {
  const { record, path } = await openRecord(args[0], scope);
  const { output } = scope;
  const turn = numberOption(options, "turn");
  if (turn !== undefined) {
    const counter = await counterFor(record);
    for (const decision of replayRecord(record, counter)) {
      if (decision.turn !== turn) continue;
      if (output.json)
        output.printJson({
          schema: "context/1",
          turn,
          tokens: decision.context.tokens,
          messages: decision.context.messages,
        });
      else printContext(decision.context, output);
      return 0;
    }
    throw new WinnowError("invalid_argument", `The run has no turn ${turn}.`, { hint: "winnow show lists its turns." });
  }
  const end = record.events.at(-1);
  if (output.json) {
    output.printJson({ schema: "record/1", path, torn: record.torn, header: record.header, events: record.events });
    return 0;
  }
  output.print(`${output.style("bold", stripControl(record.header.query))}`);
  output.print(
    output.style(
      "dim",
      `${record.header.runId}, policy ${record.header.policy.name}, profile ${(record.header.profile as { name: string }).name}, ${new Date(record.header.at).toISOString()}`,
    ),
  );
  const view = new LiveView(output, (line) => output.print(line));
  for (const event of record.events) view.show(event);
  if (end?.type !== "end") {
    output.print(output.style("yellow", "The run did not end: its process died, or it is still going."));
    return 0;
  }
  const result = toResult(record.header, record.events, end, path);
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
    const text = stripControl(messageText(message)).trimEnd();
    if (text !== "") output.print(text);
    for (const call of message.calls ?? [])
      output.print(output.style("bold", `→ ${call.tool} ${stripControl(JSON.stringify(call.arguments))}`));
  }
  output.print(output.style("dim", `${context.tokens.toLocaleString("en-US")} tokens with framing and tool schemas`));
}
