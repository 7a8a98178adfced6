import { readFile } from "node:fs/promises";
import type { Decision, Policy } from "../agent/policy.ts";
import { policyParts } from "../agent/policy-name.ts";
import { systemErrorCode, WinnowError } from "../core/errors.ts";
import { didYouMean } from "../core/suggest.ts";
import type { ChatModel } from "../models/chat/chat-model.ts";
import { CHAT_KINDS } from "../models/chat/endpoint.ts";
import { COMPLETION_KIND, type CompletionModel } from "../models/completions/completion-model.ts";
import type { PolicyAccess } from "./policy-access.ts";

const KINDS = ["rules", "scripted", "replay", COMPLETION_KIND, ...CHAT_KINDS];

/** `rules:uncut` fills the list up to `-k` where `rules` ends it by itself. */
const UNCUT = "uncut";

/**
 * The policy that `--policy` names: `rules`, `rules:uncut`, `scripted:FILE` (a JSON list of decisions), `replay:FILE` (a record), a
 * chat model (`openai-compatible:MODEL`, `ollama:MODEL`, `openai:MODEL`, `anthropic:MODEL`), or a gpt-oss model on raw
 * tokens (`harmony:MODEL`). No model is asked anything yet. Rejects with `policy_unavailable` or `invalid_argument`.
 */
export async function choosePolicy(spec: string, access: PolicyAccess = {}): Promise<Policy> {
  const { kind, rest } = policyParts(spec);
  const driven = await modelPolicyFor(spec, access);
  if (driven !== undefined) return driven;
  if (kind === "rules" && (rest === "" || rest === UNCUT)) {
    const [{ rulesPolicy }, { DEFAULT_RULES }] = await Promise.all([
      import("../agent/policies/rules/rules.ts"),
      import("../agent/policies/rules/settings.ts"),
    ]);
    return rulesPolicy({ ...DEFAULT_RULES, cut: rest !== UNCUT });
  }
  if ((kind === "scripted" || kind === "replay") && rest === "") {
    throw new WinnowError("invalid_argument", `The ${kind} policy needs a file.`, {
      hint: `Write --policy ${kind}:FILE`,
    });
  }
  if (kind === "scripted") {
    const { scriptedPolicy } = await import("../agent/policies/scripted.ts");
    return scriptedPolicy(await readScript(rest));
  }
  if (kind === "replay") {
    const [{ replayPolicy }, { readRecord }] = await Promise.all([
      import("../agent/policies/replay.ts"),
      import("../record/reader.ts"),
    ]);
    return replayPolicy(await readRecord(rest));
  }
  throw new WinnowError("policy_unavailable", `There is no policy "${spec}".${didYouMean(kind, KINDS)}`, {
    hint: "Policies: rules, harmony:MODEL, openai-compatible:MODEL, ollama:MODEL, openai:MODEL, anthropic:MODEL, scripted:FILE, replay:FILE.",
  });
}

/** The policy of a model on a server, which many runs may share; undefined when the name means another kind. */
export async function modelPolicyFor(spec: string, access: PolicyAccess): Promise<Policy | undefined> {
  const raw = await completionModelFor(spec, access);
  if (raw !== undefined) {
    const { harmonyPolicy } = await import("../agent/policies/harmony/harmony-policy.ts");
    return harmonyPolicy(raw, { effort: access.reasoning });
  }
  const model = await chatModelFor(spec, access);
  if (model === undefined) return undefined;
  const { chatPolicy } = await import("../agent/policies/chat-model/chat-policy.ts");
  return chatPolicy(model);
}

/** Throws `invalid_argument` for a temperature that has no say: only models sample. */
export function checkTemperature(
  policy: Pick<Policy, "name" | "model"> | undefined,
  temperature: number | undefined,
): void {
  if (temperature === undefined || policy?.model !== undefined) return;
  throw new WinnowError(
    "invalid_argument",
    `The policy ${policy?.name ?? "none"} samples nothing, so it has no temperature.`,
    {
      hint: "Leave --temperature out, or choose a model with --policy.",
    },
  );
}

/** The chat model that a policy's name means; undefined when it means none. Throws `invalid_argument`. */
export async function chatModelFor(spec: string, access: PolicyAccess): Promise<ChatModel | undefined> {
  const { kind: name, rest } = policyParts(spec);
  const kind = CHAT_KINDS.find((one) => one === name);
  if (kind === undefined) return undefined;
  const { openChatModel } = await import("../models/chat/open-chat-model.ts");
  const reached = serverOptions(access, kind === "openai-compatible");
  return openChatModel({ kind, model: rest, reasoning: access.reasoning, ...reached });
}

/** The model on raw tokens that a policy's name means; undefined when it means none. Throws `invalid_argument`. */
export async function completionModelFor(spec: string, access: PolicyAccess): Promise<CompletionModel | undefined> {
  const { kind, rest } = policyParts(spec);
  if (kind !== COMPLETION_KIND) return undefined;
  const { openCompletionModel } = await import("../models/completions/open-completion-model.ts");
  return openCompletionModel({ model: rest, ...serverOptions(access, true) });
}

/** How a server is reached; `own` is true for servers that the user runs, which the configuration names. */
function serverOptions(access: PolicyAccess, own: boolean) {
  const configured = own ? access.configured : undefined;
  return {
    baseUrl: access.baseUrl ?? configured?.baseUrl,
    apiKeyEnv: access.apiKeyEnv ?? configured?.apiKeyEnv,
    answerTimeoutMs: access.answerTimeoutMs,
    ...(access.prices === undefined ? {} : { prices: access.prices }),
    ...(access.environment === undefined ? {} : { environment: access.environment }),
  };
}

/** A script is a JSON list; the run checks each decision as it checks a model's. */
async function readScript(file: string): Promise<Decision[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new WinnowError(
      "invalid_argument",
      `The script ${file} cannot be read (${systemErrorCode(error) ?? "unknown"}).`,
      {
        hint: "Give the path of a JSON file.",
        cause: error,
      },
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new WinnowError("invalid_argument", `The script ${file} is not JSON.`, {
      hint: "It is a list of decisions.",
      cause: error,
    });
  }
  if (!Array.isArray(value)) {
    throw new WinnowError("invalid_argument", `The script ${file} is not a list.`, {
      hint: 'For example: [{"calls":[{"tool":"search_corpus","arguments":{"query":"…"}}]}]',
    });
  }
  for (const [i, step] of value.entries()) {
    const calls: unknown = typeof step === "object" && step !== null && "calls" in step ? step.calls : undefined;
    if (Array.isArray(calls)) continue;
    throw new WinnowError("invalid_argument", `Step ${i + 1} of the script ${file} is not a decision with "calls".`, {
      hint: 'For example: {"calls":[{"tool":"search_corpus","arguments":{"query":"…"}}]}',
    });
  }
  return value as Decision[];
}
