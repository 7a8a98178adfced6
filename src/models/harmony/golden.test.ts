import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { type HarmonyCodec, loadHarmonyCodec } from "./codec.ts";
import type { HarmonyMessage } from "./conversation.ts";
import { type ParsedMessage, parseHarmony } from "./parse.ts";
import { HarmonyRenderer, type RenderOptions } from "./render.ts";

/** Made by python/harmony/make_golden.py with the official package. */
interface RenderCase {
  readonly conversation: readonly HarmonyMessage[];
  readonly options: RenderOptions;
  readonly ids: readonly number[];
}
interface ParseCase {
  readonly output: string;
  readonly ids: readonly number[];
  readonly strict?: readonly object[] | null;
  readonly lenient?: readonly object[];
}

function golden<T>(name: string): T[] {
  const text = readFileSync(new URL(`../../../python/harmony/${name}`, import.meta.url), "utf8");
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as T]));
}

let codec: HarmonyCodec;
beforeAll(async () => {
  codec = await loadHarmonyCodec();
});

describe("the official renderer", () => {
  const cases = golden<RenderCase>("golden-render.jsonl");

  it("gives the same ids for every conversation", () => {
    expect(cases.length).toBeGreaterThanOrEqual(300);
    const renderer = new HarmonyRenderer(codec);
    for (const [i, { conversation, options, ids }] of cases.entries()) {
      const rendered = renderer.render(conversation, options);
      expect(rendered.ids, `conversation ${i + 1}`).toEqual(ids);
      // Once more from what is cached.
      expect(renderer.render(conversation, options).ids).toEqual(ids);
    }
  });

  it("is decoded to the text of its messages", () => {
    for (const { conversation, options, ids } of cases) {
      if (options.dropReasoning === true) continue;
      const whole = options.next === "none" ? ids : ids.slice(0, -2);
      const { messages, repairs } = parseHarmony(whole, codec, "conversation");
      expect(repairs.filter(({ code }) => code !== "recipient_without_to" && code !== "header_text")).toEqual([]);
      expect(messages).toHaveLength(conversation.length);
      for (const [i, message] of conversation.entries()) {
        if (message.kind !== "text") continue;
        expect(messages[i]?.text).toBe(message.parts.map((part) => part.text).join(""));
      }
    }
  });
});

describe("the official parser", () => {
  const cases = golden<ParseCase>("golden-parse.jsonl");

  it.each(cases)("reads the same messages from $output", ({ ids, strict, lenient }) => {
    const { messages, repairs } = parseHarmony(ids, codec);
    expect(messages.map(plain)).toEqual(strict ?? lenient);
    if (strict === undefined) expect(repairs).not.toEqual([]);
  });
});

function plain({ end, start, stop, ...message }: ParsedMessage): object {
  expect(stop).toBeGreaterThan(start);
  expect(end).not.toBe("");
  return message;
}
