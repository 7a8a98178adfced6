import { toWinnowError, WinnowError } from "../../../core/errors.ts";
import {
  type ChatAnswer,
  type ChatModel,
  type ChatOptions,
  type ChatRequest,
  PromptTooLongError,
} from "../../../models/chat/chat-model.ts";
import type { JsonValue, RecordedUsage } from "../../../record/events.ts";
import { ContextLengthError, type DecideOptions, type Decision, type Policy, type View } from "../../policy.ts";
import { chatMessages } from "./chat-messages.ts";

/** Prompts shorter than this tell nothing about a cut: tokenizers and templates differ by more. */
const CUT_TOKENS_MIN = 2_000;
/** A server that counts fewer of our tokens than this has not read them all. */
const CUT_SHARE = 0.5;

/**
 * A chat model as a policy. Its only input is the view: every turn's messages are built from the rendered context, and
 * what the API wants back with a message travels through the record as `providerState`. A seed of 0 is the server's own
 * choice, and so is the temperature of a run that names none. The model has tried again what can be tried again, so no error asks the run to.
 */
export function chatPolicy(model: ChatModel): Policy {
  return {
    name: model.name,
    model: model.model,
    async decide(view, options) {
      try {
        const answer = await model.complete(requestOf(view, options), askingOptions(options));
        tellCutPrompt(view, answer, options);
        return decisionOf(answer);
      } catch (error) {
        if (error instanceof PromptTooLongError) throw new ContextLengthError(error.message);
        options.signal.throwIfAborted();
        const { code, message, hint } = toWinnowError(error, "policy_failed");
        throw new WinnowError(code, message, hint === undefined ? {} : { hint });
      }
    },
  };
}

function askingOptions({ signal, runId, onDelta, onNotice }: DecideOptions): ChatOptions {
  return {
    signal,
    ...(runId === undefined ? {} : { session: runId }),
    ...(onDelta === undefined ? {} : { onDelta }),
    ...(onNotice === undefined ? {} : { onNotice }),
  };
}

function requestOf(view: View, { seed, temperature }: DecideOptions): ChatRequest {
  return {
    messages: chatMessages(view.context),
    tools: view.tools,
    maxTokens: view.maxTokens,
    ...(seed === 0 ? {} : { seed }),
    ...(temperature === undefined ? {} : { temperature }),
  };
}

function decisionOf(answer: ChatAnswer): Decision {
  const { text, reasoning, calls, state, finish, usage, costUsd, sampling } = answer;
  const { cacheWriteTokens: _, ...tokens } = usage;
  const recorded: RecordedUsage = { ...tokens, ...(costUsd === undefined ? {} : { costUsd }) };
  return {
    calls: calls.map(({ tool, arguments: written }) => ({ tool, arguments: written.trim() === "" ? {} : written })),
    cut: finish === "length",
    ...(text === "" ? {} : { text }),
    ...(reasoning === "" ? {} : { reasoning }),
    ...(Object.keys(recorded).length === 0 ? {} : { usage: recorded }),
    ...(state === undefined ? {} : { providerState: state as JsonValue }),
    ...(sampling === undefined ? {} : { sampling }),
  };
}

/** Some servers cut a long prompt at its start and say nothing (Ollama, unless its window is set). */
function tellCutPrompt(view: View, { usage }: ChatAnswer, { onNotice }: DecideOptions): void {
  const { promptTokens } = usage;
  const ours = view.context.tokens;
  if (promptTokens === undefined || promptTokens === 0 || ours < CUT_TOKENS_MIN) return;
  if (promptTokens >= ours * CUT_SHARE) return;
  const message =
    "The server counts less than half of the prompt's tokens: it may cut long prompts without saying so. Raise its context length (Ollama: OLLAMA_CONTEXT_LENGTH), or give it with --context.";
  onNotice?.("prompt_cut", message);
}
