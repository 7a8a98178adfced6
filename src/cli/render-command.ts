import { wholeNumber } from "./option-values.ts";
import type { AddCommand } from "./program.ts";

/** Shows what a policy that takes tokens would be given. */
export function addRenderCommand(add: AddCommand): void {
  add(
    "render [conversation]",
    "Show a conversation, or a turn of a run, as the tokens that a harmony policy would be given.",
    [
      "winnow render conversation.json --profile context-1",
      "winnow render conversation.json --json",
      "winnow render 20260326T1 --turn 3",
      "",
      "What a conversation file holds, at the least:",
      '{"query": "Who owns billing?"}',
      'and with history ("date", "effort" and "instructions" may be given as well):',
      '{"query": "Who owns billing?", "messages": [',
      '  {"role": "assistant", "reasoning": "…", "calls": [{"tool": "grep_corpus", "arguments": {"pattern": "billing"}}]},',
      '  {"role": "tool", "tool": "grep_corpus", "content": "…"}]}',
    ],
    () => import("./commands/render.ts"),
  )
    .option(
      "--profile <profile>",
      "profile of a conversation file; a run has its own (auto: context-1-report, as harmony: has it)",
    )
    .option("--turn <number>", "turn of a run; its last one by default", wholeNumber(1, 1_000));
}
