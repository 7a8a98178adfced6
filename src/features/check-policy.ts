import { toWinnowError, type WinnowError } from "../core/errors.ts";
import { type ChatAnswer, type ChatModel, type ChatRequest, PromptTooLongError } from "../models/chat/chat-model.ts";
import { chatModelFor, choosePolicy, completionModelFor } from "./choose-policy.ts";
import type { Check } from "./doctor.ts";
import type { PolicyAccess } from "./policy-access.ts";

const CHECK_TIMEOUT_MS = 60_000;
/** Room for a model that thinks before it calls. */
const CHECK_TOKENS_MAX = 1_024;
const NAME = "policy";
const TOOL = "ready";

const REQUEST: ChatRequest = {
  messages: [{ role: "user", text: `This is a test of the connection. Call the tool "${TOOL}" once and say nothing.` }],
  tools: [
    { name: TOOL, description: "Says that the connection works.", parameters: { type: "object", properties: {} } },
  ],
  maxTokens: CHECK_TOKENS_MAX,
};

/** Asks a policy's model one short question and explains what is wrong. Never rejects; costs some hundred tokens. */
export async function checkPolicy(spec: string, access: PolicyAccess, signal?: AbortSignal): Promise<Check> {
  try {
    const answerTimeoutMs = Math.min(CHECK_TIMEOUT_MS, access.answerTimeoutMs ?? CHECK_TIMEOUT_MS);
    const limited = { ...access, answerTimeoutMs };
    const raw = await completionModelFor(spec, limited);
    if (raw !== undefined) {
      const { checkHarmony } = await import("./check-harmony.ts");
      return await checkHarmony(raw, signal);
    }
    const model = await chatModelFor(spec, limited);
    if (model === undefined) {
      await choosePolicy(spec, access);
      return { name: NAME, state: "ok", detail: `${spec} needs no server` };
    }
    return await ask(model, signal);
  } catch (error) {
    if (error instanceof PromptTooLongError) {
      const hint = "Start the server with a larger context length: a search needs some thousand tokens.";
      return { name: NAME, state: "fail", detail: error.message, hint };
    }
    const known = toWinnowError(error);
    return { name: NAME, state: "fail", detail: known.message, ...hintOf(known) };
  }
}

async function ask(model: ChatModel, signal: AbortSignal | undefined): Promise<Check> {
  const started = performance.now();
  const notices = new Set<string>();
  const answer = await model.complete(REQUEST, {
    attemptsMax: 1,
    onNotice: (code) => notices.add(code),
    ...(signal === undefined ? {} : { signal }),
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const called = answer.calls.some(({ tool }) => tool === TOOL);
  const detail = `${model.name} ${called ? "answers and calls tools" : "answers"} (${seconds} s; ${about(answer, notices)})`;
  if (called) return { name: NAME, state: "ok", detail };
  if (answer.finish === "length") {
    const hint = `It was still thinking after ${CHECK_TOKENS_MAX} tokens; set "reasoning" to "low" if searches fail.`;
    return { name: NAME, state: "warn", detail: `${detail}, without calling the tool`, hint };
  }
  const hint =
    "A search needs tool calls. Choose a model that calls tools, or switch them on in the server (vLLM: --enable-auto-tool-choice --tool-call-parser NAME; llama.cpp: --jinja).";
  return { name: NAME, state: "warn", detail: `${detail}, but did not call the tool`, hint };
}

function about({ usage, reasoning }: ChatAnswer, notices: ReadonlySet<string>): string {
  const tokens =
    usage.promptTokens === undefined
      ? "reports no usage"
      : `${usage.promptTokens} + ${usage.completionTokens ?? 0} tokens`;
  const parts = [tokens, reasoning === "" ? "" : "reasons", notices.has("no_price") ? "no price is set" : ""];
  return parts.filter((part) => part !== "").join(", ");
}

function hintOf(error: WinnowError): { hint?: string } {
  return error.hint === undefined ? {} : { hint: error.hint };
}
