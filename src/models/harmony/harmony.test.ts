import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { loadTokenCounter } from "../o200k-token-counter.ts";
import { type HarmonyCodec, loadHarmonyCodec } from "./codec.ts";
import { CONSTRAIN_JSON, type HarmonyMessage, type TextMessage, textMessage } from "./conversation.ts";
import { parseHarmony } from "./parse.ts";
import { HarmonyRenderer } from "./render.ts";
import { ACTION_STOP_IDS, CALL, END, isSpecialId, RETURN, START } from "./special-tokens.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const settings = { seed: 20_260_104, numRuns: 150 * scale };

let codec: HarmonyCodec;
let renderer: HarmonyRenderer;
beforeAll(async () => {
  codec = await loadHarmonyCodec();
  renderer = new HarmonyRenderer(codec);
});

const texts = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 60 }),
      fc.string({ unit: "binary", maxLength: 60 }),
      fc.constantFrom(
        "<|end|>",
        "<|start|>assistant",
        "<|call|>",
        "\u0085",
        "\ufeff",
        "\ud800",
        "\r\n",
        "=".repeat(900),
      ),
      fc.lorem(),
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(""));

/** What a text is after UTF-8. */
const clean = (text: string): string => Buffer.from(text, "utf8").toString("utf8");

const tool = fc.constantFrom("search_corpus", "grep_corpus", "multi_tool_use");
const messages: fc.Arbitrary<TextMessage> = fc.oneof(
  texts.map((text) => textMessage("user", text)),
  fc
    .tuple(texts, fc.constantFrom("analysis", "commentary", "final"))
    .map(([text, channel]) => textMessage("assistant", text, { channel })),
  fc.tuple(texts, tool).map(([text, name]) =>
    textMessage("assistant", text, {
      recipient: `functions.${name}`,
      channel: "commentary",
      contentType: CONSTRAIN_JSON,
    }),
  ),
  fc
    .tuple(texts, tool)
    .map(([text, name]) =>
      textMessage("tool", text, { name: `functions.${name}`, recipient: "assistant", channel: "commentary" }),
    ),
);

describe("a rendered conversation", () => {
  it("parses to what it was rendered from, with nothing to repair", () => {
    fc.assert(
      fc.property(fc.array(messages, { maxLength: 8 }), (conversation) => {
        const { ids, spans } = renderer.render(conversation, { next: "none" });
        const parsed = parseHarmony(ids, codec, "conversation");
        expect(parsed.repairs).toEqual([]);
        const expected = conversation.map(({ kind: _, parts, ...header }, i) => ({
          ...header,
          text: clean(parts.map(({ text }) => text).join("")),
          end: header.role === "assistant" && header.recipient !== undefined ? "call" : "end",
          start: spans[i]?.start,
          stop: spans[i]?.end,
        }));
        expect(parsed.messages).toEqual(expected);
      }),
      settings,
    );
  });

  it("holds no special token but its own structure", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const { ids } = renderer.render([textMessage("user", text)], { next: "none" });
        expect(ids.filter(isSpecialId)).toHaveLength(3);
        expect(codec.decode(codec.encode(text)).text).toBe(clean(text));
      }),
      settings,
    );
  });

  it("is the same in blocks, whole, cached and fresh", () => {
    const block = texts.map((text) => `x${text.trim()}\n\n`);
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), fc.nat(3), (blocks, removed) => {
        const parts = blocks.map((text) => ({ text }));
        const whole = renderer.render([textMessage("user", blocks.join(""))]).ids;
        expect(renderer.render([{ role: "user", kind: "text", parts }]).ids).toEqual(whole);
        const fewer: TextMessage = { role: "user", kind: "text", parts: parts.filter((_, i) => i !== removed) };
        expect(renderer.render([fewer]).ids).toEqual(new HarmonyRenderer(codec).render([fewer]).ids);
      }),
      settings,
    );
  });

  it("begins with the prompt and the ids of a sampled turn, whatever those are", () => {
    const id = fc.oneof(fc.nat(201_087), fc.constantFrom(START, END, RETURN, CALL));
    fc.assert(
      fc.property(
        fc.array(messages, { maxLength: 3 }),
        fc.array(id, { maxLength: 20 }),
        messages,
        (before, ids, next) => {
          const prompt = renderer.render(before).ids;
          const sampled: HarmonyMessage = { role: "assistant", kind: "sampled", ids };
          const later = renderer.render([...before, sampled, next]).ids;
          expect(later.slice(0, prompt.length + ids.length)).toEqual([...prompt, ...ids]);
          const last = ids.at(-1);
          const ended = last === END || (last !== undefined && ACTION_STOP_IDS.includes(last));
          expect(later[prompt.length + ids.length]).toBe(ended ? START : END);
        },
      ),
      settings,
    );
  });

  it("needs a name for a tool", () => {
    expect(() => renderer.render([textMessage("tool", "x")])).toThrow(/has no name/);
  });

  it("says where functions are called as soon as there are any", () => {
    const system: HarmonyMessage = { role: "system", kind: "settings" };
    const tools = [{ name: "functions", tools: [{ name: "f", description: "F." }] }];
    const text = (conversation: HarmonyMessage[]): string => codec.decode(renderer.render(conversation).ids).text;
    expect(text([system])).not.toContain("commentary channel");
    expect(text([system, { role: "developer", kind: "settings", tools }])).toContain("commentary channel: 'functions'");
    expect(text([system])).not.toContain("commentary channel");
  });
});

describe("the codec", () => {
  it("agrees with the token counter where that is exact", async () => {
    const counter = await loadTokenCounter();
    const { encodeExactly } = await import("./exact-encode.ts");
    const { default: ranks } = await import("gpt-tokenizer/bpeRanks/o200k_base");
    const byBytes = new Map(
      ranks.map((token, id) => [Buffer.from(token as string, "utf8").toString("latin1"), id] as const),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const plain = clean(text).replace(/[\u0085\ufeff]|={100,}/g, "");
        expect(encodeExactly(plain, (bytes) => byBytes.get(bytes))).toEqual(counter.encode(plain));
      }),
      settings,
    );
  });

  it.each(["a", "ab ", " ", "\n", "=", "\u4e2d", "\u0301", "aB", "\u00e9!"])(
    "encodes 200 kB of %j in linear time",
    (unit) => {
      const text = unit.repeat(Math.ceil(200_000 / unit.length));
      const started = performance.now();
      const ids = codec.encode(text);
      // After the many texts of a full run the tokenizer's cache is full, and one of these took 12 s instead of 0.3.
      expect(performance.now() - started).toBeLessThan(5_000 * Math.max(1, scale));
      expect(codec.decode(ids).text === text).toBe(true);
    },
  );

  it("decodes anything", () => {
    expect(codec.decode([-1, 1.5, Number.NaN, 999_999, START])).toEqual({ text: "<|start|>", valid: true });
    const [first] = codec.encode("🦜");
    expect(codec.decode(first === undefined ? [] : [first])).toEqual({ text: "\ufffd", valid: false });
    // Nothing of one call is left over for the next.
    expect(codec.decode(codec.encode("ok"))).toEqual({ text: "ok", valid: true });
  });
});
