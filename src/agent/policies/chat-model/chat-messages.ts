import type { ChatCall, ChatMessage } from "../../../models/chat/chat-model.ts";
import { messageText, type RenderedCall, type RenderedContext, type RenderedMessage } from "../../context/rendered.ts";

const TOOL_NAME_UNITS_MAX = 64;
/** Some servers take ids of exactly nine letters and digits (Mistral), and none minds them. */
const CALL_ID_DIGITS = 5;
/** Answers a call that the harness did not run: the notice behind it says why. */
const NOT_RUN = "Not run.";

type Assistant = Extract<ChatMessage, { role: "assistant" }>;

/**
 * The context as messages that every chat API takes. What a context may hold and APIs refuse is mended here, each time
 * in the same way: notices between calls and their results move behind the results, a call without a result gets one,
 * messages of the user in a row become one, arguments are objects, names of tools have the letters that are allowed.
 */
export function chatMessages(context: RenderedContext): ChatMessage[] {
  const messages: ChatMessage[] = [];
  const { messages: shown } = context;
  for (let i = 0; i < shown.length; i++) {
    const message = shown[i];
    if (message?.role === "assistant") {
      const until = nextAssistant(shown, i + 1);
      const behind = shown.slice(i + 1, until);
      messages.push(assistantMessage(message));
      const results = resultsOf(message.calls ?? [], behind);
      if (results.length > 0) messages.push({ role: "tool", results });
      for (const one of behind) if (one.role === "user") pushUser(messages, one);
      i = until - 1;
    } else if (message?.role === "user") pushUser(messages, message);
  }
  return messages;
}

function nextAssistant(messages: readonly RenderedMessage[], from: number): number {
  const next = messages.findIndex((message, i) => i >= from && message.role === "assistant");
  return next < 0 ? messages.length : next;
}

function pushUser(messages: ChatMessage[], message: RenderedMessage): void {
  const text = messageText(message).trim();
  if (text === "") return;
  const last = messages.at(-1);
  if (last?.role === "user") messages[messages.length - 1] = { role: "user", text: `${last.text}\n\n${text}` };
  else messages.push({ role: "user", text });
}

function assistantMessage(message: RenderedMessage): Assistant {
  return {
    role: "assistant",
    text: messageText(message).trim(),
    reasoning: message.reasoning?.text.trim() ?? "",
    calls: (message.calls ?? []).map(chatCall),
    ...(message.providerState === undefined ? {} : { state: message.providerState }),
  };
}

function chatCall(call: RenderedCall): ChatCall {
  const { arguments: given } = call;
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
  return { id: wireId(call.id), tool: toolName(call.tool), arguments: isObject ? { ...given } : {} };
}

function resultsOf(
  calls: readonly RenderedCall[],
  behind: readonly RenderedMessage[],
): Extract<ChatMessage, { role: "tool" }>["results"] {
  return calls.map((call) => {
    const answer = behind.find((message) => message.role === "tool" && message.callId === call.id);
    const text = answer === undefined ? "" : messageText(answer).trim();
    return { callId: wireId(call.id), tool: toolName(call.tool), text: text === "" ? NOT_RUN : text };
  });
}

/** `call_12` is `call00012`; ids of another form have their other characters replaced. */
function wireId(id: string): string {
  const number = /^call_(\d+)$/.exec(id)?.[1];
  return number === undefined ? id.replace(/[^a-zA-Z0-9_-]/g, "-") : `call${number.padStart(CALL_ID_DIGITS, "0")}`;
}

/** A model may have called what does not exist, under any name; APIs take letters, digits, `_` and `-`. */
function toolName(name: string): string {
  const allowed = name.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, TOOL_NAME_UNITS_MAX);
  return allowed === "" ? "unnamed" : allowed;
}
