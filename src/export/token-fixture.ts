import { messageText, type RenderedContext, type RenderedMessage } from "../agent/context/rendered.ts";
import { replayRecord } from "../agent/replay-record.ts";
import { seededRandom } from "../core/clock.ts";
import type { TokenCounter } from "../core/token-counter.ts";
import type { DecisionEvent, RecordedTokens } from "../record/events.ts";
import type { RunRecord } from "../record/reader.ts";

const START = 1;
const END = 2;
const ROLES = { user: 3, assistant: 4, tool: 5 } as const;
const TEXT_FROM = 100;
export const FAKE_VOCABULARY_SIZE = 60_000;
const COMPLETION_TOKENS_MAX = 12;

export interface FakeTokenOptions {
  readonly counter: TokenCounter;
  readonly seed: number;
  /** `sampled`: a turn stands in later prompts as its sampled ids. `rerendered`: as its text, encoded again. */
  readonly history: "sampled" | "rerendered";
}

/**
 * For tests: a record as a policy that speaks in tokens would have made it. Prompts are made of what the record renders
 * to, completions are random ids that have nothing to do with the text, so that only splicing can reproduce them. Some
 * completions are empty, and some prompts keep fewer ids than they could.
 */
export function withFakeTokens(record: RunRecord, options: FakeTokenOptions): RunRecord {
  const random = seededRandom(options.seed);
  const contexts = [...replayRecord(record, options.counter)].map(({ context }) => context);
  const accepted: (readonly number[])[] = [];
  let last: readonly number[] = [];
  let decisions = 0;
  const events = record.events.map((event) => {
    if (event.type !== "decision") return event;
    const context = contexts[decisions++];
    if (context === undefined || event.finishReason === "error") return event;
    const prompt = promptIds(context, options.history === "sampled" ? accepted : []);
    const completion = drawCompletion(event, random);
    if (event.finishReason === "calls" || event.finishReason === "stop") accepted.push(completion);
    const common = commonPrefix(last, prompt);
    const keep = random() < 0.2 ? Math.floor(random() * (common + 1)) : common;
    last = [...prompt, ...completion];
    const tokens: RecordedTokens = {
      prompt: { keep, add: prompt.slice(keep) },
      completion,
      logprobs: completion.map(() => -random() * 5),
      renderer: "fake/1",
      sampled: true,
    };
    return { ...event, tokens };
  });
  return { ...record, events };
}

function drawCompletion(event: DecisionEvent, random: () => number): number[] {
  if (event.finishReason === "rejected" && random() < 0.5) return [];
  const id = (): number => TEXT_FROM + Math.floor(random() * (FAKE_VOCABULARY_SIZE - TEXT_FROM));
  return [...Array.from({ length: Math.floor(random() * COMPLETION_TOKENS_MAX) }, id), END];
}

function promptIds(context: RenderedContext, sampled: readonly (readonly number[])[]): number[] {
  let turns = 0;
  const ids = context.messages.flatMap((message) => {
    const own = message.role === "assistant" ? sampled[turns++] : undefined;
    return [START, ROLES[message.role], ...(own ?? [...messageIds(message), END])];
  });
  return [...ids, START, ROLES.assistant];
}

function messageIds(message: RenderedMessage): number[] {
  const text = `${message.reasoning?.text ?? ""}${messageText(message)}${JSON.stringify(message.calls ?? [])}`;
  return Array.from({ length: Math.ceil(text.length / 8) }, (_, i) => textId(text.slice(i * 8, i * 8 + 8)));
}

function textId(text: string): number {
  let hash = 7;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) >>> 0;
  return TEXT_FROM + (hash % (FAKE_VOCABULARY_SIZE - TEXT_FROM));
}

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let i = 0;
  while (i < end && a[i] === b[i]) i++;
  return i;
}
