import type { CompletionAnswer, CompletionModel } from "../models/completions/completion-model.ts";
import type { HarmonyDecision } from "../models/harmony/decision.ts";
import { ACTION_STOP_IDS } from "../models/harmony/special-tokens.ts";
import type { Check } from "./doctor.ts";

/** Room for a model that thinks before it calls. */
const CHECK_TOKENS_MAX = 1_024;
const NAME = "policy";
const TOOL = "ready";
const TASK = `This is a test of the connection. Call the tool "${TOOL}" once and say nothing.`;

/**
 * Asks a model on raw tokens one short question: whether it answers, in harmony, with token ids and log-probabilities.
 * Rejects as the model does; costs some hundred tokens.
 */
export async function checkHarmony(model: CompletionModel, signal: AbortSignal | undefined): Promise<Check> {
  const started = performance.now();
  const { answer, decision } = await ask(model, signal);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const called = decision.calls.some(({ tool }) => tool === TOOL);
  const ids = answer.ids === undefined ? "no token ids" : "token ids";
  const scores = answer.logprobs === undefined ? "no log-probabilities" : "log-probabilities";
  const does = called ? "answers and calls tools" : "answers";
  const detail = `${model.name} ${does} (${seconds} s; ${ids}, ${scores})`;
  if (decision.calls.length === 0 && !speaksHarmony(decision)) {
    const hint = "harmony: is for gpt-oss models and their descendants; use openai-compatible:MODEL for others.";
    return { name: NAME, state: "warn", detail: `${detail}, but not in the harmony format`, hint };
  }
  if (answer.ids === undefined) {
    const hint =
      "Searches work on the text, encoded again; training needs the ids. vLLM gives them (return_token_ids) from 0.10.2 on.";
    return { name: NAME, state: "warn", detail, hint };
  }
  if (called) return { name: NAME, state: "ok", detail };
  const hint = "A search needs tool calls. Check that the server has the weights that you mean.";
  return { name: NAME, state: "warn", detail: `${detail}, but did not call the tool`, hint };
}

/** Structure that nothing had to be mended in, but for an end that was cut off. */
function speaksHarmony({ repairs }: HarmonyDecision): boolean {
  return repairs.every(({ code }) => code !== "missing_message" && code !== "cut_header");
}

async function ask(
  model: CompletionModel,
  signal: AbortSignal | undefined,
): Promise<{ readonly answer: CompletionAnswer; readonly decision: HarmonyDecision }> {
  const [{ loadHarmonyCodec }, { HarmonyRenderer }, { textMessage }, { encodeOutput }, { parseHarmony }, decisions] =
    await Promise.all([
      import("../models/harmony/codec.ts"),
      import("../models/harmony/render.ts"),
      import("../models/harmony/conversation.ts"),
      import("../agent/policies/harmony/encode-output.ts"),
      import("../models/harmony/parse.ts"),
      import("../models/harmony/decision.ts"),
    ]);
  const codec = await loadHarmonyCodec();
  const tool = { name: TOOL, description: "Says that the connection works." };
  const { ids } = new HarmonyRenderer(codec).render([
    { role: "system", kind: "settings", effort: "low" },
    { role: "developer", kind: "settings", tools: [{ name: "functions", tools: [tool] }] },
    textMessage("user", TASK),
  ]);
  const request = { prompt: ids, maxTokens: CHECK_TOKENS_MAX, stopIds: ACTION_STOP_IDS, temperature: 1, topP: 0.9 };
  const answer = await model.complete(request, { attemptsMax: 1, ...(signal === undefined ? {} : { signal }) });
  const completion = answer.ids ?? encodeOutput(answer.text, codec);
  return { answer, decision: decisions.readDecision(parseHarmony(completion, codec)) };
}
