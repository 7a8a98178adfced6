import { toWinnowError, WinnowError } from "../../../core/errors.ts";
import { PromptTooLongError } from "../../../models/chat/chat-model.ts";
import type {
  CompletionAnswer,
  CompletionModel,
  CompletionRequest,
} from "../../../models/completions/completion-model.ts";
import type { HarmonyCodec } from "../../../models/harmony/codec.ts";
import type { ReasoningEffort } from "../../../models/harmony/conversation.ts";
import { readDecision } from "../../../models/harmony/decision.ts";
import { parseHarmony } from "../../../models/harmony/parse.ts";
import { ACTION_STOP_IDS, specialTokenName } from "../../../models/harmony/special-tokens.ts";
import type { RecordedUsage, SamplingSettings } from "../../../record/events.ts";
import type { DecisionTokens } from "../../decision-tokens.ts";
import { ContextLengthError, type DecideOptions, type Decision, type Policy, type View } from "../../policy.ts";
import { DeltaReader } from "./delta-reader.ts";
import { encodeOutput } from "./encode-output.ts";
import { HarmonyWriter } from "./harmony-writer.ts";

/** Stands in records; a change of what the writer makes of a context is a new number. */
export const HARMONY_RENDERER = "harmony/1";
/** As the published harness samples (reference: context-1.md §2.1). */
export const PUBLISHED_SAMPLING = { temperature: 1, topP: 0.9 } as const;

export interface HarmonyPolicyOptions {
  /**
   * Default: as published. For training, temperature 1 and topP 1, so that log-probabilities are those of the policy. A
   * run that names a temperature has it in place of this one.
   */
  readonly sampling?: Required<Pick<SamplingSettings, "temperature" | "topP">>;
  /** Default `high`. */
  readonly effort?: ReasoningEffort | undefined;
}

interface Tools {
  readonly codec: HarmonyCodec;
  readonly writer: HarmonyWriter;
}

/**
 * A gpt-oss model (Context-1 is one) as a policy on raw tokens: the view is written in harmony here, the model goes on
 * from the ids, and its ids are read with every repair on record. A seed of 0 is the server's own choice. A prompt that
 * leaves less of the window than an answer needs is a `ContextLengthError` before it is sent. The model has tried again
 * what can be tried again, so no error asks the run to.
 */
export function harmonyPolicy(model: CompletionModel, options: HarmonyPolicyOptions = {}): Policy {
  const { sampling = PUBLISHED_SAMPLING, effort } = options;
  let loaded: Promise<Tools> | undefined;
  return {
    name: model.name,
    model: model.model,
    async decide(view, decideOptions) {
      loaded ??= loadTools(effort);
      const tools = await loaded;
      const request = await requestOf(view, tools, { ...sampling, ...chosenSampling(decideOptions) });
      try {
        const answer = await ask(model, request, tools, decideOptions);
        return decisionOf(answer, request, tools, model);
      } catch (error) {
        if (error instanceof PromptTooLongError) throw new ContextLengthError(error.message);
        decideOptions.signal.throwIfAborted();
        const { code, message, hint } = toWinnowError(error, "policy_failed");
        throw new WinnowError(code, message, hint === undefined ? {} : { hint });
      }
    },
  };
}

async function loadTools(effort: ReasoningEffort | undefined): Promise<Tools> {
  const { loadHarmonyCodec } = await import("../../../models/harmony/codec.ts");
  const codec = await loadHarmonyCodec();
  return { codec, writer: new HarmonyWriter(codec, effort) };
}

function chosenSampling({ seed, temperature }: DecideOptions): Pick<SamplingSettings, "temperature" | "seed"> {
  return { ...(temperature === undefined ? {} : { temperature }), ...(seed === 0 ? {} : { seed }) };
}

async function requestOf(
  view: View,
  { writer }: Tools,
  sampling: Pick<CompletionRequest, "temperature" | "topP" | "seed">,
): Promise<CompletionRequest> {
  const prompt = await writer.write(view);
  const room = view.window.tokens - prompt.length;
  if (room < view.window.reserve) {
    throw new ContextLengthError(
      `The prompt has ${prompt.length} tokens in harmony; of ${view.window.tokens} that leaves less than the ${view.window.reserve} that an answer needs.`,
    );
  }
  const stop = { stopIds: ACTION_STOP_IDS, stopTexts: ACTION_STOP_IDS.map(specialTokenName) };
  return { prompt, maxTokens: Math.min(view.maxTokens, room), ...stop, ...sampling };
}

function ask(
  model: CompletionModel,
  request: CompletionRequest,
  { codec }: Tools,
  { signal, runId, onDelta, onNotice }: DecideOptions,
): Promise<CompletionAnswer> {
  const pass = (kind: "reasoning" | "text", delta: string): void => onDelta?.(kind, delta);
  const filters = {
    reasoning: model.keyFilter((text) => pass("reasoning", text)),
    text: model.keyFilter((text) => pass("text", text)),
  };
  let deltas = new DeltaReader(codec, (kind, delta) => filters[kind].push(delta));
  return model
    .complete(request, {
      signal,
      ...(runId === undefined ? {} : { session: runId }),
      onStart: () => {
        deltas = new DeltaReader(codec, (kind, delta) => filters[kind].push(delta));
      },
      onIds: (ids) => deltas.push(ids),
      ...(onNotice === undefined ? {} : { onNotice }),
    })
    .finally(() => {
      filters.reasoning.end();
      filters.text.end();
    });
}

function decisionOf(
  answer: CompletionAnswer,
  request: CompletionRequest,
  { codec }: Tools,
  model: CompletionModel,
): Decision {
  const tokens = tokensOf(answer, request, codec);
  refuseKey(codec.decode(tokens.completion).text, model);
  const { reasoning, text, calls, repairs } = readDecision(parseHarmony(tokens.completion, codec));
  return {
    calls,
    cut: answer.finish === "length",
    usage: usageOf(answer, tokens),
    tokens,
    ...(answer.sampling === undefined ? {} : { sampling: answer.sampling }),
    ...(repairs.length === 0 ? {} : { repairs }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(text === undefined ? {} : { text }),
  };
}

/** What was sampled, with the id that ended it where the server left that out. */
function tokensOf(answer: CompletionAnswer, { prompt }: CompletionRequest, codec: HarmonyCodec): DecisionTokens {
  const { ids, logprobs, stoppedBy } = answer;
  const given = ids ?? encodeOutput(answer.text, codec);
  const stripped = stoppedBy !== undefined && given.at(-1) !== stoppedBy;
  const completion = stripped ? [...given, stoppedBy] : given;
  const scored = ids !== undefined && !stripped && logprobs !== undefined;
  return {
    prompt,
    completion,
    ...(scored ? { logprobs } : {}),
    renderer: HARMONY_RENDERER,
    sampled: ids !== undefined,
  };
}

/** The prompt is counted exactly; a server that counts more (a token in front) is believed. */
function usageOf({ usage, costUsd }: CompletionAnswer, { prompt, completion }: DecisionTokens): RecordedUsage {
  return {
    promptTokens: Math.max(prompt.length, usage.promptTokens ?? 0),
    completionTokens: usage.completionTokens ?? completion.length,
    ...(usage.cachedTokens === undefined ? {} : { cachedTokens: usage.cachedTokens }),
    ...(costUsd === undefined ? {} : { costUsd }),
  };
}

/** Ids cannot have a key cut out of them, so an answer that repeats it is none. */
function refuseKey(text: string, model: CompletionModel): void {
  let passed = "";
  const filter = model.keyFilter((piece) => {
    passed += piece;
  });
  filter.push(text);
  filter.end();
  if (passed === text) return;
  throw new WinnowError("policy_failed", "The server's answer repeats the key that it was sent; it is not kept.", {
    hint: "Check what answers at the base URL.",
  });
}
