import { Context, promptHash } from "../../../src/agent/context/context.ts";
import type { Block, RenderedContext, RenderedMessage } from "../../../src/agent/context/rendered.ts";
import type { Profile } from "../../../src/agent/profiles/profile.ts";
import { recordedProfile } from "../../../src/agent/replay-record.ts";
import type { TokenCounter } from "../../../src/core/token-counter.ts";
import type { ToolResultEvent } from "../../../src/record/events.ts";
import type { RunRecord } from "../../../src/record/parse-record.ts";

/** What a token takes of English on average. */
const UNITS_PER_TOKEN = 4;

/**
 * An estimate in place of the vocabulary, which is larger than the rest of the page together. Counts do not change the
 * bytes of a context, but for notes that were cut to a number of tokens; the hash tells.
 */
export const estimatingCounter: TokenCounter = {
  name: "estimate",
  count: (text) => Math.ceil(text.length / UNITS_PER_TOKEN),
  encode: () => [],
};

/** The prompt of one decision, rendered from the record. */
export interface SeenContext {
  readonly turn: number;
  readonly attempt: number;
  readonly context: RenderedContext;
  /** As recorded; the context's own number is an estimate here. */
  readonly promptTokens: number;
  /** True when the bytes are those that the policy was shown, by the hash taken when it was shown them. */
  readonly verified: boolean;
}

/** All prompts of a run, and what stood in each tool message before anything was pruned from it. */
export interface Contexts {
  readonly seen: readonly SeenContext[];
  /** By call id: the chunk blocks of the message in order. */
  readonly shownByCall: ReadonlyMap<string, readonly Block[]>;
}

/** Renders the prompts one by one; between any two the caller may pause. Messages that did not change are shared. */
export function* renderContexts(record: RunRecord): Generator<number, Contexts> {
  const context = new Context(record.header, uncutNotes(recordedProfile(record)), estimatingCounter);
  const seen: SeenContext[] = [];
  const shownByCall = new Map<string, readonly Block[]>();
  for (const event of record.events) {
    if (event.type === "decision") {
      const rendered = context.render();
      const { turn, attempt, promptTokens } = event;
      const verified = promptHash(rendered) === event.promptHash;
      seen.push({ turn, attempt, context: rendered, promptTokens, verified });
      yield turn;
    }
    context.apply(event);
    if (event.type === "tool_result") shownByCall.set(event.callId, chunkBlocks(context.render(), event));
  }
  return { seen, shownByCall };
}

/** Notes are cut by counts, and these are estimates: showing them whole is right unless they had to be cut. */
function uncutNotes(profile: Profile): Profile {
  return profile.notesTokensMax === undefined ? profile : { ...profile, notesTokensMax: Number.MAX_SAFE_INTEGER };
}

function chunkBlocks({ messages }: RenderedContext, { callId }: ToolResultEvent): readonly Block[] {
  const message = messages.findLast((one) => one.callId === callId);
  return message?.blocks.filter(({ kind }) => kind === "chunk") ?? [];
}

/** A piece of a message: as the policy saw it, or a chunk that stood there once. */
export type ContextPiece =
  | { readonly kind: "seen"; readonly block: Block }
  | { readonly kind: "gone"; readonly block: Block };

/** The blocks of a message with what was pruned from it put back where it stood, before the stub that it left, if any. */
export function withPruned(message: RenderedMessage, shown: readonly Block[]): readonly ContextPiece[] {
  const pieces: ContextPiece[] = [];
  const live = new Set(message.blocks);
  let next = 0;
  const putBackUntil = (stop: (block: Block) => boolean): void => {
    for (let block = shown[next]; block !== undefined && !stop(block); block = shown[++next]) {
      if (!live.has(block)) pieces.push({ kind: "gone", block });
    }
  };
  for (const block of message.blocks) {
    if (block.kind === "chunk") {
      putBackUntil((one) => one === block);
      next++;
    } else if (block.pruned !== undefined) {
      const { shownId } = block.pruned;
      putBackUntil((one) => one.chunk?.shownId === shownId);
      const gone = shown[next];
      if (gone !== undefined) pieces.push({ kind: "gone", block: gone });
      next++;
    } else if (next > 0 || block.kind === "usage") {
      putBackUntil(() => false);
    }
    pieces.push({ kind: "seen", block });
  }
  putBackUntil(() => false);
  return pieces;
}
