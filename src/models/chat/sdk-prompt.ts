import type { ChatMessage, ChatRequest, ChatState } from "./chat-model.ts";
import { chatStateOf } from "./chat-state.ts";
import type { ChatKind, ReasoningLevel } from "./endpoint.ts";
import type { RefusablePart } from "./refusals.ts";
import type { SdkCall } from "./sdk-model.ts";

type Prompt = SdkCall["prompt"];
type SdkMessage = Prompt[number];
type AssistantPart = Extract<SdkMessage, { role: "assistant" }>["content"][number];
type Assistant = Extract<ChatMessage, { role: "assistant" }>;

/** Stands for a message that held only reasoning: APIs refuse one without text and calls. */
const NOTHING_SAID = "…";
/** Models whose signatures cover what stands before a thought; after a prune it no longer matches (AI SDK, Anthropic docs). */
const BINDS_THINKING = /fable-5-1|opus-5-5|sonnet-5-5/;
const CACHED = { anthropic: { cacheControl: { type: "ephemeral" } } } as const;

export interface PromptSettings {
  readonly kind: ChatKind;
  readonly model: string;
  /** What of the request is sent; reasoning is that of earlier turns. */
  readonly parts: ReadonlySet<RefusablePart>;
  readonly reasoning: ReasoningLevel | undefined;
}

/** The request in the AI SDK's form. */
export function sdkCall(request: ChatRequest, maxTokens: number, settings: PromptSettings): SdkCall {
  const call: SdkCall = {
    prompt: withCachePoints(
      request.messages.flatMap((message) => sdkMessage(message, settings)),
      settings.kind,
    ),
    maxOutputTokens: maxTokens,
    providerOptions: providerOptions(settings),
    ...(request.seed === undefined || settings.kind === "anthropic" ? {} : { seed: request.seed }),
    ...(request.temperature === undefined || !settings.parts.has("temperature")
      ? {}
      : { temperature: request.temperature }),
  };
  if (request.tools.length === 0) return call;
  return {
    ...call,
    tools: request.tools.map(({ name, description, parameters }) => ({
      type: "function",
      name,
      description,
      inputSchema: parameters,
    })),
    toolChoice: { type: "auto" },
  };
}

function providerOptions({ kind, model, reasoning }: PromptSettings): NonNullable<SdkCall["providerOptions"]> {
  if (kind !== "anthropic") {
    return reasoning === undefined ? {} : { openaiCompatible: { reasoningEffort: reasoning } };
  }
  const binding = BINDS_THINKING.test(model) ? { blockBinding: { prefixMismatchBehavior: "drop_block" } } : {};
  const mode = reasoning === undefined ? {} : { type: "adaptive", display: "summarized" };
  const thinking = { ...mode, ...binding };
  return {
    anthropic: {
      ...(Object.keys(thinking).length === 0 ? {} : { thinking }),
      ...(reasoning === undefined ? {} : { effort: reasoning }),
    },
  };
}

/** Anthropic caches up to marked places: the prompt with the tools, and all of what is there now for the next turn. */
function withCachePoints(prompt: SdkMessage[], kind: ChatKind): Prompt {
  if (kind !== "anthropic") return prompt;
  return prompt.map((message, i) =>
    i === 0 || i === prompt.length - 1 ? { ...message, providerOptions: CACHED } : message,
  );
}

function sdkMessage(message: ChatMessage, settings: PromptSettings): SdkMessage[] {
  if (message.role === "user") return [{ role: "user", content: [{ type: "text", text: message.text }] }];
  if (message.role === "assistant") return [assistantMessage(message, settings)];
  if (message.results.length === 0) return [];
  const content = message.results.map(({ callId, tool, text }) => ({
    type: "tool-result" as const,
    toolCallId: callId,
    toolName: tool,
    output: { type: "text" as const, value: text },
  }));
  return [{ role: "tool", content }];
}

function assistantMessage(message: Assistant, { kind, parts }: PromptSettings): SdkMessage {
  const keepReasoning = parts.has("reasoning");
  const state = chatStateOf(message.state);
  const content: AssistantPart[] = keepReasoning && kind === "anthropic" ? thinkingParts(state) : [];
  const { reasoning, text, calls } = message;
  const field = keepReasoning && kind !== "anthropic" && reasoning !== "" ? state.reasoningField : undefined;
  if (field === "reasoning_content") content.push({ type: "reasoning", text: reasoning });
  if (text !== "" || calls.length === 0) content.push({ type: "text", text: text === "" ? NOTHING_SAID : text });
  for (const [i, call] of calls.entries()) {
    const signature = state.callSignatures?.[i];
    content.push({
      type: "tool-call",
      toolCallId: call.id,
      toolName: call.tool,
      input: call.arguments,
      ...(typeof signature === "string" ? { providerOptions: { google: { thoughtSignature: signature } } } : {}),
    });
  }
  const extra = field === "reasoning" ? { providerOptions: { openaiCompatible: { reasoning } } } : {};
  return { role: "assistant", content, ...extra };
}

function thinkingParts({ thinking = [] }: ChatState): AssistantPart[] {
  return thinking.map((block) =>
    "redacted" in block
      ? { type: "reasoning", text: "", providerOptions: { anthropic: { redactedData: block.redacted } } }
      : { type: "reasoning", text: block.text, providerOptions: { anthropic: { signature: block.signature } } },
  );
}

/** What a request carries that a server could refuse. */
export function refusableParts({ messages, temperature }: ChatRequest): RefusablePart[] {
  const reasons = messages.some((message) => {
    if (message.role !== "assistant") return false;
    const { thinking = [], reasoningField } = chatStateOf(message.state);
    return thinking.length > 0 || (reasoningField !== undefined && message.reasoning !== "");
  });
  return [
    ...(reasons ? (["reasoning"] as const) : []),
    ...(temperature === undefined ? [] : (["temperature"] as const)),
  ];
}
