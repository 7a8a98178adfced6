import { Context } from "../agent/context/context.ts";
import { messageText, type RenderedMessage } from "../agent/context/rendered.ts";
import { recordedProfile } from "../agent/replay-record.ts";
import { toolSchemas } from "../agent/tools/tool-schemas.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import type { JsonValue } from "../record/events.ts";
import type { RunRecord } from "../record/reader.ts";

/** A message with the roles and fields of OpenAI's chat format; arguments are JSON values, as chat templates want them. */
export interface ChatExportMessage {
  readonly role: "user" | "assistant" | "tool";
  readonly content: string;
  /** Assistant messages: the reasoning, where the record has it. */
  readonly thinking?: string;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly type: "function";
    readonly function: { readonly name: string; readonly arguments: JsonValue };
  }[];
  readonly tool_call_id?: string;
  readonly name?: string;
  /** Assistant messages: 0 for history that an earlier conversation of the run holds with 1. */
  readonly weight?: 0 | 1;
}

/** A stretch of a run in which the context only grew, as messages that people and chat templates can read. */
export interface ChatConversation {
  readonly run_id: string;
  /** From 0 within the run. */
  readonly conversation_index: number;
  readonly turns: readonly number[];
  readonly messages: readonly ChatExportMessage[];
  readonly tools: readonly {
    readonly type: "function";
    readonly function: { readonly name: string; readonly description: string; readonly parameters: object };
  }[];
}

/**
 * The run as conversations: a turn goes on with the open one when its prompt begins with all of its messages, else (behind
 * a prune, say) it begins another with the whole prompt, whose history weighs 0. Each accepted decision weighs 1 exactly
 * once; rejected ones are left out. Needs no token ids. `counter` must be the record's.
 */
export function chatConversationsOf(record: RunRecord, counter: TokenCounter): ChatConversation[] {
  const profile = recordedProfile(record);
  const tools = toolSchemas(profile).map(({ name, description, parameters }) => ({
    type: "function" as const,
    function: { name, description, parameters },
  }));
  const stretches: { turns: number[]; messages: ChatExportMessage[]; shown: string[] }[] = [];
  const context = new Context(record.header, profile, counter);
  for (const event of record.events) {
    const accepted = event.type === "decision" && (event.finishReason === "calls" || event.finishReason === "stop");
    const prompt = accepted ? context.render().messages.map(toChat) : [];
    context.apply(event);
    const answer = accepted ? context.render().messages.findLast(({ role }) => role === "assistant") : undefined;
    if (answer === undefined) continue;
    const shown = prompt.map((message) => JSON.stringify(message));
    let open = stretches.at(-1);
    if (open === undefined || !open.shown.every((message, i) => message === shown[i])) {
      open = { turns: [], messages: [], shown: [] };
      stretches.push(open);
    }
    for (const message of prompt.slice(open.messages.length)) open.messages.push(weighed(message, 0));
    const last = toChat(answer);
    open.messages.push(weighed(last, 1));
    open.shown = [...shown, JSON.stringify(last)];
    open.turns.push(event.turn);
  }
  const run_id = record.header.runId;
  return stretches.map(({ turns, messages }, i) => ({ run_id, conversation_index: i, turns, messages, tools }));
}

function weighed(message: ChatExportMessage, weight: 0 | 1): ChatExportMessage {
  return message.role === "assistant" ? { ...message, weight } : message;
}

function toChat(message: RenderedMessage): ChatExportMessage {
  const { role, reasoning, calls = [], callId, tool } = message;
  return {
    role,
    content: messageText(message).trimEnd(),
    ...(reasoning === undefined ? {} : { thinking: reasoning.text.trimEnd() }),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map((call) => ({
            id: call.id,
            type: "function" as const,
            function: { name: call.tool, arguments: call.arguments },
          })),
        }),
    ...(callId === undefined ? {} : { tool_call_id: callId }),
    ...(tool === undefined ? {} : { name: tool }),
  };
}
