import { setTimeout as delay } from "node:timers/promises";
import { encodeOutput } from "../agent/policies/harmony/encode-output.ts";
import { type CompletionModelOptions, openCompletionModel } from "../models/completions/open-completion-model.ts";
import { loadHarmonyCodec } from "../models/harmony/codec.ts";
import { KEY } from "./chat-fixture.ts";
import type { WireAnswer, WireRequest } from "./wire-server.ts";

/** A model on raw tokens at the address, without pauses between attempts. */
export const openTestCompletions = (baseUrl: string, more: Partial<CompletionModelOptions> = {}) =>
  openCompletionModel({
    model: "m",
    baseUrl,
    environment: { KEY },
    apiKeyEnv: "KEY",
    // A real pause gives way to timers, so that time limits are met between attempts.
    sleep: (_ms, signal) => delay(1, undefined, signal === undefined ? {} : { signal }),
    random: () => 0,
    ...more,
  });

/** What outputs of a model are made of, special tokens by name. */
export const thought = (text: string): string => `<|channel|>analysis<|message|>${text}<|end|><|start|>assistant`;
export const callOf = (tool: string, value: unknown): string => {
  const json = typeof value === "string" ? value : JSON.stringify(value);
  return `<|channel|>commentary to=functions.${tool} <|constrain|>json<|message|>${json}<|call|>`;
};
export const searchFor = (query: string): string =>
  `${thought(`I look for ${query}.`)}${callOf("search_corpus", { query })}`;
export const searchForAll = (...queries: string[]): string => {
  const calls = queries.map((query) => ({ tool_name: "functions.search_corpus", parameters: { query } }));
  return `${thought("Both at once.")}${callOf("multi_tool_use", { tool_calls: calls })}`;
};
export const listOf = (...ids: string[]): string => {
  const documents = ids.map((id) => `<Document id="${id}">\n<Justification>It says so.</Justification>\n</Document>`);
  return `${thought("Enough.")}<|channel|>final<|message|>${documents.join("\n")}<|return|>`;
};

/** An output as the server's answer, in ids. */
export async function answerOf(output: string, more: Partial<WireAnswer> = {}): Promise<WireAnswer> {
  const ids = encodeOutput(output, await loadHarmonyCodec());
  return { ids, text: output, ...more };
}

/** The prompt of a request for a completion. */
export function promptOf(request: WireRequest | undefined): readonly number[] {
  const body = (request?.body ?? {}) as { readonly prompt?: readonly number[] };
  return body.prompt ?? [];
}
