import { expect, it } from "vitest";
import { encodeOutput } from "../agent/policies/harmony/encode-output.ts";
import { harmonyPolicy } from "../agent/policies/harmony/harmony-policy.ts";
import { chat } from "../agent/profiles/chat.ts";
import { context1 } from "../agent/profiles/context-1.ts";
import { type Profile, withLimit } from "../agent/profiles/profile.ts";
import { seededRandom } from "../core/clock.ts";
import type { CompletionModel } from "../models/completions/completion-model.ts";
import { loadHarmonyCodec } from "../models/harmony/codec.ts";
import { VOCABULARY_SIZE } from "../models/harmony/special-tokens.ts";
import { loadTokenCounter } from "../models/o200k-token-counter.ts";
import { parseRecord, type RunRecord } from "../record/reader.ts";
import { startTestRun } from "../testing/agent-fixture.ts";
import { memoryCorpus } from "../testing/memory-corpus.ts";
import { randomChunks } from "../testing/world.ts";
import { exportRollouts } from "./rollouts.ts";
import { sftRowsOf } from "./sft-rows.ts";

const SCALE = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const counter = await loadTokenCounter();
const codec = await loadHarmonyCodec();
const corpus = memoryCorpus("test", randomChunks(30, 4, counter, 7));
const small = withLimit(chat, 8_192);
const profiles: readonly Profile[] = [
  { ...small, history: "sampled" },
  { ...small, history: "sampled", pruning: "none" },
  { ...small, history: "sampled", pruning: "oldest" },
  { ...small, history: "rerendered" },
  withLimit(context1, 8_192),
];

interface Exchange {
  readonly prompt: readonly number[];
  readonly completion: readonly number[];
  readonly logprobs: readonly number[];
}

/** One output of a random model: thoughts, then calls or something unusable. */
function randomOutput(random: () => number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const thought = `<|channel|>analysis<|message|>${pick(["Go on.", "Ünïcode — 検索", "  spaced  ", ""])}<|end|><|start|>assistant`;
  const call = (tool: string, json: unknown): string =>
    `<|channel|>commentary to=functions.${tool} <|constrain|>json<|message|>${JSON.stringify(json)}<|call|>`;
  const query = pick(["amber basin", "cedar delta item", "valley willow", "quarry"]);
  const ids = Array.from({ length: 6 }, () => `d${1 + Math.floor(random() * 8)}.${1 + Math.floor(random() * 4)}`);
  const draw = random();
  if (draw < 0.6) return thought + call("search_corpus", { query });
  if (draw < 0.8) return thought + call("prune_chunks", { chunk_ids: ids });
  if (draw < 0.85) return "";
  if (draw < 0.9)
    return `${thought}<|channel|>commentary to=functions.search_corpus<|message|>{"query": "${query}<|call|>`;
  return `${thought}<|channel|>final<|message|>I am looking.<|return|>`;
}

/** Encoded character by character now and then: valid ids that no tokenizer would give for the text. */
function sample(text: string, random: () => number): number[] {
  if (random() < 0.7) return encodeOutput(text, codec);
  return text.split(/(<\|[a-z]+\|>)/).flatMap((part) => {
    return part.startsWith("<|") ? encodeOutput(part, codec) : [...part].flatMap((one) => encodeOutput(one, codec));
  });
}

function randomModel(random: () => number, exchanges: Exchange[]): CompletionModel {
  return {
    name: "harmony:random",
    model: "random",
    listModels: async () => [],
    keyFilter: (pass) => ({ push: pass, end: () => {} }) as ReturnType<CompletionModel["keyFilter"]>,
    async complete({ prompt, maxTokens }) {
      const whole = sample(randomOutput(random), random);
      const cut = random() < 0.1 || whole.length > maxTokens;
      const ids = cut ? whole.slice(0, Math.min(maxTokens, Math.ceil(whole.length / 2))) : whole;
      const logprobs = ids.map(() => -random());
      exchanges.push({ prompt, completion: ids, logprobs });
      return { ids, text: "", logprobs, finish: cut ? "length" : "stop", usage: {} };
    },
  };
}

async function episode(profile: Profile, seed: number): Promise<{ record: RunRecord; exchanges: Exchange[] }> {
  const exchanges: Exchange[] = [];
  const policy = harmonyPolicy(randomModel(seededRandom(seed), exchanges));
  const limits = { turnsMax: 14 };
  const { run, record } = startTestRun(policy, { profile, counter, corpora: [corpus], limits });
  await run.result;
  const { header, events } = record();
  // As it comes back from a file.
  const lines = [header, ...events].map((line) => `${JSON.stringify(line)}\n`).join("");
  return { record: parseRecord(lines, "record"), exchanges };
}

it("gives back what a harmony model was sent and what it sampled, to the id", { timeout: 600_000 }, async () => {
  const turnsJoined = { sampled: 0, rerendered: 0 };
  for (let seed = 1; seed <= 4 * SCALE; seed++) {
    for (const profile of profiles) {
      const { record, exchanges } = await episode(profile, seed);
      const limits = { vocabularySize: VOCABULARY_SIZE, tokensMax: profile.budget.limit };
      const { segments, tooLong } = exportRollouts([record], limits);
      expect(tooLong).toEqual([]);
      let at = 0;
      const sampled = exchanges.filter(({ completion }) => completion.length > 0);
      const trained = segments.flatMap(({ tokens, mask }) => tokens.filter((_, i) => mask[i] === 1));
      expect(trained).toEqual(sampled.flatMap(({ completion }) => completion));
      for (const { prompt, completion, logprobs } of sampled) {
        const whole = [...prompt, ...completion].join(" ");
        const starts = (tokens: readonly number[] = []): boolean => `${tokens.join(" ")} `.startsWith(`${whole} `);
        if (!starts(segments[at]?.tokens)) at++;
        const segment = segments[at];
        expect(starts(segment?.tokens)).toBe(true);
        expect(segment?.logprobs.slice(prompt.length, prompt.length + completion.length)).toEqual(logprobs);
      }
      expect(at).toBe(segments.length - 1);
      turnsJoined[profile.history] += segments.reduce((sum, { turns }) => sum + turns.length - 1, 0);
      const learnt = sftRowsOf(record).reduce((sum, { labels }) => sum + labels.filter((id) => id >= 0).length, 0);
      expect(learnt).toBeLessThanOrEqual(trained.length);
    }
  }
  // Only a history of sampled ids lets turns join whatever was sampled.
  expect(turnsJoined.sampled).toBeGreaterThan(0);
});
