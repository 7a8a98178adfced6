import type { JsonValue } from "../../record/events.ts";

export interface ShownChunk {
  /** Identity across corpora. */
  readonly key: string;
  /** Id as shown to the policy. */
  readonly shownId: string;
  readonly shownDocumentId: string;
  readonly index: number;
  readonly title: string;
  readonly headings: readonly string[];
  readonly text: string;
  /** What the line of metadata shows, where the profile has one. */
  readonly metadata?: readonly (readonly [key: string, value: string])[];
}

/** A document by the chunk that one query of the question ranks best in it. */
export interface RankedEntry {
  readonly key: string;
  /** Ids as a policy names them. */
  readonly shownId: string;
  readonly shownDocumentId: string;
  /** Of the query; orders the ranking. */
  readonly score: number;
}

/**
 * A piece of the context that is counted once. Its text ends in a line end and starts with neither white space nor a
 * slash, so the tokenizer cannot merge across its ends (the pre-tokenizer of o200k never joins a line end to anything
 * but white space and slashes) and counts add up.
 */
export interface Block {
  readonly kind: "text" | "chunk" | "stub" | "usage" | "notes";
  readonly text: string;
  readonly tokens: number;
  readonly chunk?: ShownChunk;
  /** Stubs only: what was pruned here. */
  readonly pruned?: { readonly shownId: string; readonly shownDocumentId: string };
}

export interface RenderedCall {
  readonly id: string;
  readonly tool: string;
  readonly arguments: JsonValue;
}

export interface RenderedMessage {
  readonly role: "user" | "assistant" | "tool";
  readonly blocks: readonly Block[];
  /** Assistant messages only. */
  readonly reasoning?: Block;
  readonly calls?: readonly RenderedCall[];
  /** Assistant messages only: what the model's API wants back with it. */
  readonly providerState?: JsonValue;
  /** Assistant messages under `history: "sampled"`: the ids that it was sampled as, which stand for all of it. */
  readonly sampledIds?: readonly number[];
  /** Tool messages only: the call that this answers. */
  readonly callId?: string;
  readonly tool?: string;
  /** Tokens of the whole message, framing and calls included. */
  readonly tokens: number;
}

/** What the policy is shown at a turn: a pure function of record and profile. */
export interface RenderedContext {
  readonly messages: readonly RenderedMessage[];
  /** Prompt tokens: messages, framing and tool schemas. */
  readonly tokens: number;
}

/** The exact text of a message, blocks joined. */
export function messageText(message: RenderedMessage): string {
  return message.blocks.map((block) => block.text).join("");
}
