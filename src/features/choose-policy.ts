import { readFile } from "node:fs/promises";
import type { Decision, Policy } from "../agent/policy.ts";
import { systemErrorCode, WinnowError } from "../core/errors.ts";
import { didYouMean } from "../core/suggest.ts";

const KINDS = ["rules", "scripted", "replay"];

/**
 * The policy that `--policy` names: `rules`, `scripted:FILE` (a JSON list of decisions), or `replay:FILE` (a record).
 * Rejects with `policy_unavailable` or `invalid_argument`.
 */
export async function choosePolicy(spec: string): Promise<Policy> {
  const colon = spec.indexOf(":");
  const kind = colon < 0 ? spec : spec.slice(0, colon);
  const rest = colon < 0 ? "" : spec.slice(colon + 1);
  if (kind === "rules" && rest === "") {
    const { rulesPolicy } = await import("../agent/policies/rules/rules.ts");
    return rulesPolicy();
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
    hint: "Policies: rules, scripted:FILE, replay:FILE.",
  });
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
