import { truncate, wellFormed } from "../core/text.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import type { DecisionRepair, JsonValue, RecordedCall, RecordedUsage, SamplingSettings } from "../record/events.ts";
import { checkedRepairs, checkedSampling, checkedTokens, type DecisionTokens } from "./decision-tokens.ts";

/** Text or reasoning of one decision that a record keeps, UTF-16 units. */
const RECORDED_UNITS_MAX = 262_144;
/** A token of o200k is at most 128 bytes; text longer than this many units per allowed token is over the limit uncounted. */
const UNITS_PER_TOKEN_MAX = 128;
const DEPTH_MAX = 32;
/** What an API wants back with one message, as JSON; more is dropped, and the API has to do without. */
const PROVIDER_STATE_UNITS_MAX = 262_144;

export interface CheckedDecision {
  readonly reasoning?: string;
  readonly text?: string;
  readonly calls: readonly RecordedCall[];
  readonly usage?: RecordedUsage;
  readonly providerState?: JsonValue;
  readonly tokens?: DecisionTokens;
  readonly sampling?: SamplingSettings;
  readonly repairs?: readonly DecisionRepair[];
  readonly completionTokens: number;
  /** Why the decision cannot be used: `message` in words for the policy, `told` for whoever asked. */
  readonly problem?: { readonly code: "malformed" | "too_long"; readonly message: string; readonly told: string };
  /** Calls beyond the limit of one turn, left out. */
  readonly dropped: number;
}

/**
 * Brings whatever a policy returned into a known shape. Never throws; a decision that cannot be used comes back with a
 * `problem` and without calls.
 */
export function checkDecision(
  value: unknown,
  scope: {
    readonly counter: TokenCounter;
    readonly maxTokens: number;
    readonly callsMax: number;
    readonly callIds: (i: number) => string;
  },
): CheckedDecision {
  if (typeof value !== "object" || value === null) return unusable("The decision was not an object.");
  const given = value as Readonly<Record<string, unknown>>;
  const reasoning = textOf(given["reasoning"]);
  const text = textOf(given["text"]);
  const list = given["calls"] === undefined ? [] : given["calls"];
  if (!Array.isArray(list)) return unusable("The tool calls were not a list.");
  const calls: RecordedCall[] = [];
  for (const item of list.slice(0, scope.callsMax) as unknown[])
    calls.push(recordedCall(item, scope.callIds(calls.length)));
  const parts = [reasoning ?? "", text ?? "", ...calls.map((call) => `${call.tool} ${JSON.stringify(call.arguments)}`)];
  const units = parts.reduce((total, part) => total + part.length, 0);
  const countable = units <= scope.maxTokens * UNITS_PER_TOKEN_MAX;
  const completionTokens = countable
    ? parts.reduce((total, part) => total + scope.counter.count(part), 0)
    : Math.ceil(units / UNITS_PER_TOKEN_MAX);
  const shared = {
    ...(reasoning === undefined ? {} : { reasoning: truncate(reasoning, RECORDED_UNITS_MAX) }),
    ...(text === undefined ? {} : { text: truncate(text, RECORDED_UNITS_MAX) }),
    ...usageOf(given["usage"]),
    ...providerStateOf(given["providerState"]),
    ...tokensOf(given),
    completionTokens,
    dropped: Math.max(0, list.length - scope.callsMax),
  };
  if (!countable || completionTokens > scope.maxTokens || given["cut"] === true) {
    const message = `Your last message was discarded: it was longer than the ${scope.maxTokens} tokens that were left.`;
    const told = `The policy's answer was longer than the ${scope.maxTokens} tokens that were left.`;
    return { ...shared, calls: [], problem: { code: "too_long", message, told } };
  }
  if (calls.length === 0 && (text ?? "").trim() === "" && (reasoning ?? "").trim() === "") {
    const told = "The policy's answer was empty: no text, no reasoning and no call.";
    return { ...shared, calls: [], problem: { code: "malformed", message: "Your last message was empty.", told } };
  }
  return { ...shared, calls };
}

function unusable(message: string): CheckedDecision {
  return { calls: [], completionTokens: 0, dropped: 0, problem: { code: "malformed", message, told: message } };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? wellFormed(value) : undefined;
}

function recordedCall(item: unknown, id: string): RecordedCall {
  const given = (typeof item === "object" && item !== null ? item : {}) as Readonly<Record<string, unknown>>;
  const tool = typeof given["tool"] === "string" ? truncate(wellFormed(given["tool"]), 200) : "";
  const written = given["arguments"];
  if (typeof written === "string") return fromText(id, tool, written);
  const json = toJson(written ?? null, 0);
  return json === undefined ? { id, tool, arguments: null, raw: "[not JSON]" } : { id, tool, arguments: json };
}

function fromText(id: string, tool: string, written: string): RecordedCall {
  try {
    const json = toJson(JSON.parse(written), 0);
    if (json !== undefined) return { id, tool, arguments: json };
  } catch {
    // Falls through: what was written is kept as text, and the tool answers with an error.
  }
  return { id, tool, arguments: null, raw: truncate(wellFormed(written), 2_000) };
}

/** Plain JSON of bounded depth, or undefined. */
function toJson(value: unknown, depth: number): JsonValue | undefined {
  if (depth > DEPTH_MAX) return undefined;
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return wellFormed(value);
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) {
    const items = value.map((item) => toJson(item, depth + 1));
    return items.every((item): item is JsonValue => item !== undefined) ? items : undefined;
  }
  if (typeof value !== "object") return undefined;
  const entries: [string, JsonValue][] = [];
  for (const [key, item] of Object.entries(value)) {
    const json = toJson(item, depth + 1);
    if (json === undefined) return undefined;
    entries.push([wellFormed(key), json]);
  }
  return Object.fromEntries(entries);
}

function tokensOf(given: Readonly<Record<string, unknown>>): Pick<CheckedDecision, "tokens" | "sampling" | "repairs"> {
  const tokens = checkedTokens(given["tokens"]);
  const sampling = checkedSampling(given["sampling"]);
  const repairs = checkedRepairs(given["repairs"]);
  return {
    ...(tokens === undefined ? {} : { tokens }),
    ...(sampling === undefined ? {} : { sampling }),
    ...(repairs.length === 0 ? {} : { repairs }),
  };
}

function providerStateOf(value: unknown): { providerState?: JsonValue } {
  const state = value === undefined ? undefined : toJson(value, 0);
  if (state === undefined || JSON.stringify(state).length > PROVIDER_STATE_UNITS_MAX) return {};
  return { providerState: state };
}

function usageOf(value: unknown): { usage?: RecordedUsage } {
  if (typeof value !== "object" || value === null) return {};
  const given = value as Readonly<Record<string, unknown>>;
  const usage: Record<string, number> = {};
  for (const name of ["promptTokens", "completionTokens", "cachedTokens", "costUsd"]) {
    const number = given[name];
    if (typeof number === "number" && Number.isFinite(number) && number >= 0) usage[name] = number;
  }
  return Object.keys(usage).length === 0 ? {} : { usage: usage as RecordedUsage };
}
