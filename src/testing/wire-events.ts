import type { WireAnswer } from "./wire-server.ts";

/** Length of the pieces that text and arguments are streamed in, UTF-16 units. */
const PIECE_UNITS = 7;

const data = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const argumentsText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

function pieces(text: string): string[] {
  const found: string[] = [];
  for (let start = 0; start < text.length; start += PIECE_UNITS) found.push(text.slice(start, start + PIECE_UNITS));
  return found;
}

function openAiUsage({ usage }: WireAnswer) {
  if (usage === undefined) return undefined;
  const { prompt, completion, cached } = usage;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
  };
}

const openAiFinish = ({ finish, calls = [] }: WireAnswer): string =>
  finish ?? (calls.length > 0 ? "tool_calls" : "stop");

/** The events of an answer as OpenAI's chat completions stream them, usage last. */
export function* openAiEvents(answer: WireAnswer, model: string): Generator<string> {
  const chunk = (delta: unknown, finish: string | null = null): string =>
    data({
      id: "chatcmpl-wire",
      object: "chat.completion.chunk",
      created: 0,
      model,
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
  const { reasoning = "", reasoningField = "reasoning_content", text = "", calls = [] } = answer;
  yield chunk({ role: "assistant", content: null });
  for (const piece of pieces(reasoning)) yield chunk({ [reasoningField]: piece });
  for (const piece of pieces(text)) yield chunk({ content: piece });
  for (const [index, { tool, arguments: written }] of calls.entries()) {
    const head = { index, id: `call_wire_${index}`, type: "function", function: { name: tool, arguments: "" } };
    yield chunk({ tool_calls: [head] });
    for (const piece of pieces(argumentsText(written))) {
      yield chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
    }
  }
  yield chunk({}, openAiFinish(answer));
  const usage = openAiUsage(answer);
  if (usage !== undefined) {
    yield data({ id: "chatcmpl-wire", object: "chat.completion.chunk", created: 0, model, choices: [], usage });
  }
  yield "data: [DONE]\n\n";
}

/** The same answer without a stream. */
export function openAiCompletion(answer: WireAnswer, model: string) {
  const { reasoning, reasoningField = "reasoning_content", text, calls = [] } = answer;
  const toolCalls = calls.map(({ tool, arguments: written }, index) => ({
    id: `call_wire_${index}`,
    type: "function",
    function: { name: tool, arguments: argumentsText(written) },
  }));
  const message = {
    role: "assistant",
    content: text ?? null,
    ...(reasoning === undefined ? {} : { [reasoningField]: reasoning }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
  };
  return {
    id: "chatcmpl-wire",
    object: "chat.completion",
    created: 0,
    model,
    choices: [{ index: 0, message, finish_reason: openAiFinish(answer) }],
    usage: openAiUsage(answer),
  };
}

/** The events of an answer as Anthropic's messages stream them. */
export function* anthropicEvents(answer: WireAnswer, model: string): Generator<string> {
  const event = (type: string, value: object): string => `event: ${type}\n${data({ type, ...value })}`;
  const { reasoning = "", signature, text = "", calls = [], usage } = answer;
  const { prompt = 1, completion = 1, cached = 0 } = usage ?? {};
  const input = {
    input_tokens: prompt - cached,
    cache_read_input_tokens: cached,
    cache_creation_input_tokens: 0,
    output_tokens: 1,
  };
  const message = { id: "msg_wire", type: "message", role: "assistant", model, content: [], usage: input };
  yield event("message_start", { message: { ...message, stop_reason: null, stop_sequence: null } });
  let index = 0;
  const block = function* (content: object, deltas: readonly object[]): Generator<string> {
    yield event("content_block_start", { index, content_block: content });
    for (const delta of deltas) yield event("content_block_delta", { index, delta });
    yield event("content_block_stop", { index });
    index++;
  };
  if (reasoning !== "" || signature !== undefined) {
    const thoughts = pieces(reasoning).map((thinking) => ({ type: "thinking_delta", thinking }));
    const signed = signature === undefined ? [] : [{ type: "signature_delta", signature }];
    yield* block({ type: "thinking", thinking: "", signature: "" }, [...thoughts, ...signed]);
  }
  if (text !== "") {
    const deltas = pieces(text).map((piece) => ({ type: "text_delta", text: piece }));
    yield* block({ type: "text", text: "" }, deltas);
  }
  for (const { tool, arguments: written } of calls) {
    const deltas = pieces(argumentsText(written)).map((piece) => ({ type: "input_json_delta", partial_json: piece }));
    yield* block({ type: "tool_use", id: `toolu_wire_${index}`, name: tool, input: {} }, deltas);
  }
  const reason = answer.finish ?? (calls.length > 0 ? "tool_use" : "end_turn");
  const delta = { stop_reason: reason, stop_sequence: null };
  yield event("message_delta", { delta, usage: { output_tokens: completion } });
  yield event("message_stop", {});
}
