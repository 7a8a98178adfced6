import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { wellFormed } from "../../core/text.ts";
import { type HarmonyCodec, loadHarmonyCodec } from "./codec.ts";
import { type HarmonyDecision, readDecision } from "./decision.ts";
import { type ParsedTokens, parseHarmony } from "./parse.ts";
import { REPAIRS_MAX } from "./repairs.ts";
import {
  CALL,
  CHANNEL,
  CONSTRAIN,
  END,
  isSpecialId,
  MESSAGE,
  RETURN,
  START,
  specialTokenName,
} from "./special-tokens.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const settings = { seed: 20_260_105, numRuns: 1_000 * scale };

let codec: HarmonyCodec;
beforeAll(async () => {
  codec = await loadHarmonyCodec();
});

const SPECIALS = [START, END, MESSAGE, CHANNEL, CONSTRAIN, RETURN, CALL, 199_999, 200_013];
/** Ids of an output written with its special tokens. */
function idsOf(output: string): number[] {
  const names = new Map(SPECIALS.map((id) => [specialTokenName(id), id]));
  return output.split(/(<\|\w+\|>)/).flatMap((part) => {
    const special = names.get(part);
    return special === undefined ? [...codec.encode(part)] : [special];
  });
}

const JSON_CALL = "<|constrain|>json<|message|>";
const OUTPUTS = [
  `<|channel|>analysis<|message|>Look for 思考 both 🦜.<|end|><|start|>assistant<|channel|>commentary to=functions.search_corpus ${JSON_CALL}{"query":"a \\"b\\""}<|call|>`,
  `<|channel|>commentary to=functions.multi_tool_use ${JSON_CALL}{"tool_calls":[{"tool_name":"functions.grep_corpus","parameters":{"pattern":"a\\\\d"}},{"tool_name":"x","parameters":{}}]}<|call|>`,
  `<|channel|>analysis<|message|>Enough.<|end|><|start|>assistant<|channel|>final<|message|><Document id="1_2">\n</Document><|return|>`,
];

interface Damage {
  readonly output: number;
  readonly edits: readonly { readonly at: number; readonly kind: number; readonly id: number }[];
  readonly cut: number;
}

const anyId = fc.oneof(fc.nat(201_087), fc.constantFrom(...SPECIALS), fc.constantFrom(-1, 0.5, 300_000, Number.NaN));
const damage: fc.Arbitrary<Damage> = fc.record({
  output: fc.nat(OUTPUTS.length - 1),
  edits: fc.array(fc.record({ at: fc.nat(120), kind: fc.nat(6), id: anyId }), { maxLength: 8 }),
  cut: fc.nat(160),
});

/** Ids replaced, removed, inserted, doubled, exchanged, an output nested in another, and all of it cut. */
function damaged({ output, edits, cut }: Damage): number[] {
  let ids = idsOf(OUTPUTS[output] ?? "");
  for (const { at, kind, id } of edits) {
    const place = at % Math.max(1, ids.length);
    const before = ids.slice(0, place);
    const after = ids.slice(place);
    if (kind === 0) ids = [...before, id, ...after.slice(1)];
    else if (kind === 1) ids = [...before, ...after.slice(1)];
    else if (kind === 2) ids = [...before, id, ...after];
    else if (kind === 3) ids = [...before, ...after.slice(0, 5), ...after];
    else if (kind === 4) ids = [...after, ...before];
    else if (kind === 5) ids = [...before, ...idsOf(OUTPUTS[id % OUTPUTS.length] ?? ""), ...after];
    else ids = ids.flatMap((one) => (isSpecialId(one) ? [one, one] : [one]));
  }
  return ids.slice(0, cut);
}

/** What holds of a result, whatever was given. */
function validate(ids: readonly number[], parsed: ParsedTokens, decision: HarmonyDecision): void {
  let position = 0;
  for (const message of parsed.messages) {
    if (message.start < position || message.stop <= message.start || message.stop > ids.length) {
      throw new Error(`A message lies at ${message.start}–${message.stop} after ${position} of ${ids.length}.`);
    }
    position = message.stop;
    if (wellFormed(message.text) !== message.text) throw new Error("A text is not well-formed.");
    if (!["system", "developer", "user", "assistant", "tool"].includes(message.role)) throw new Error(message.role);
  }
  for (const { code, at } of decision.repairs) {
    if (!/^[a-z_0-9]+$/.test(code) || at < 0 || at > ids.length) throw new Error(`${code} at ${at}`);
  }
  if (decision.repairs.length > 2 * REPAIRS_MAX) throw new Error("The repairs are not bounded.");
  for (const call of decision.calls) {
    if (typeof call.tool !== "string" || call.tool.startsWith("functions.")) throw new Error(`tool ${call.tool}`);
    if (JSON.stringify(call.arguments) === undefined) throw new Error("Arguments are no JSON.");
  }
  if (decision.text === "" || decision.reasoning === "") throw new Error("An empty text is none.");
}

function read(ids: readonly number[], form: "completion" | "conversation" = "completion"): HarmonyDecision {
  const parsed = parseHarmony(ids, codec, form);
  const decision = readDecision(parsed);
  validate(ids, parsed, decision);
  return decision;
}

describe("damaged outputs", () => {
  it("never throw, and give valid results", () => {
    let slowestMs = 0;
    let repaired = 0;
    fc.assert(
      fc.property(damage, (given) => {
        const ids = damaged(given);
        const started = performance.now();
        repaired += read(ids).repairs.length > 0 ? 1 : 0;
        read(ids, "conversation");
        slowestMs = Math.max(slowestMs, performance.now() - started);
      }),
      settings,
    );
    expect(slowestMs).toBeLessThan(1_000);
    // Else the damage is not worth its name.
    expect(repaired).toBeGreaterThan(settings.numRuns / 2);
  });

  it("of nothing but random ids never throw", () => {
    fc.assert(
      fc.property(fc.array(anyId, { maxLength: 60 }), (ids) => {
        read(ids);
      }),
      { ...settings, numRuns: 200 * scale },
    );
  });

  it.each<[string, readonly number[]]>([
    ["starts", [START]],
    ["channels", [CHANNEL]],
    ["channels that begin no header", [CHANNEL, 12]],
    ["messages", [START, MESSAGE]],
    ["ends", [END]],
    ["calls", [START, 173_781, 316, 28, 87, CHANNEL, 12606, MESSAGE, 90, CALL]],
    ["braces", [90]],
    ["lists", [58]],
    ["backslashes", [59]],
    ["half characters", [148]],
    ["ids that do not exist", [-1]],
  ])("of 200,000 ids made of %s take linear time", (_, unit) => {
    const ids = [...idsOf(`<|channel|>commentary to=functions.x ${JSON_CALL}{"a":"`)];
    while (ids.length < 200_000) ids.push(...unit);
    const started = performance.now();
    read(ids);
    read(unit.length === 1 ? ids.slice(20) : ids);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("a decision", () => {
  const decide = (output: string): HarmonyDecision => read(idsOf(output));
  const codes = (output: string): string[] => decide(output).repairs.map(({ code }) => code);

  it("of well-formed outputs needs no repair", () => {
    const [search, parallel, final] = OUTPUTS.map(decide);
    expect(search).toEqual({
      reasoning: "Look for 思考 both 🦜.",
      calls: [{ tool: "search_corpus", arguments: { query: 'a "b"' } }],
      repairs: [],
      cut: false,
    });
    expect(parallel?.calls).toEqual([
      { tool: "grep_corpus", arguments: { pattern: "a\\d" } },
      { tool: "x", arguments: {} },
    ]);
    expect(parallel?.repairs).toEqual([]);
    expect(final?.text).toBe('<Document id="1_2">\n</Document>');
    expect(final?.repairs).toEqual([]);
  });

  it("redirects a call on the analysis channel", () => {
    const output = '<|channel|>analysis to=functions.x code<|message|>{"a":1}<|call|>';
    expect(decide(output).calls).toEqual([{ tool: "x", arguments: { a: 1 } }]);
    expect(codes(output)).toEqual(["call_redirected"]);
  });

  it.each<[string, readonly string[], Partial<HarmonyDecision>]>([
    ["<|message|>No channel.<|return|>", ["text_as_reasoning"], { reasoning: "No channel." }],
    ["Only text", ["missing_message", "text_as_reasoning"], { reasoning: "Only text" }],
    ["<|channel|>analysis Thinking.<|end|>", ["missing_message"], { reasoning: "Thinking." }],
    ["<|channel|>commentary<|message|>The answer.<|end|>", ["commentary_as_answer"], { text: "The answer." }],
    ["<|channel|>analysis", ["cut_header"], { cut: false }],
    ["<|channel|>analysis<|message|>a <|reserved_200013|>b", ["stray_special"], { reasoning: "a b", cut: true }],
    ["<|channel|>final<|message|>a<|message|>b<|return|>", ["stray_special"], { text: "ab" }],
    ["assistantfinal<|message|>a<|return|>", ["missing_channel_token"], { text: "a" }],
    [
      "<|channel|>analysis<|message|>a<|channel|>final<|message|>b<|return|>",
      ["missing_end", "missing_start"],
      { reasoning: "a", text: "b" },
    ],
    [
      "<|channel|>final<|message|>a<|end|><|start|>user<|message|>Thanks, prune all.<|end|>",
      ["foreign_role"],
      { text: "a", calls: [] },
    ],
    [
      '<|channel|>final<|message|>a<|end|><|start|>functions.x to=assistant<|channel|>commentary<|message|>{"k":1}<|end|>',
      ["foreign_role"],
      { text: "a", calls: [] },
    ],
    [
      '<|channel|>commentary to=functions.x <|constrain|>json{"a":1}<|call|>',
      ["missing_message"],
      { calls: [{ tool: "x", arguments: { a: 1 } }] },
    ],
    [
      '<|channel|>commentary to=functions.functions.x <|message|>{"a":1}<|call|>',
      ["tool_name"],
      { calls: [{ tool: "x", arguments: { a: 1 } }] },
    ],
    [
      "<|channel|>commentary to=functions.x<|message|>no json<|call|>",
      ["json_unusable"],
      { calls: [{ tool: "x", arguments: "no json" }] },
    ],
    [
      '<|channel|>commentary to=multi_tool_use.parallel<|message|>{"tool_uses":[{"recipient_name":"functions.x","parameters":{"a":1}},{"parameters":{}}]}<|call|>',
      ["parallel_entry"],
      {
        calls: [
          { tool: "x", arguments: { a: 1 } },
          { tool: "multi_tool_use", arguments: { parameters: {} } },
        ],
      },
    ],
  ])("of %s lists %j", (output, expected, part) => {
    const decision = decide(output);
    expect(decision.repairs.map(({ code }) => code)).toEqual(expected);
    expect(decision).toMatchObject(part);
  });

  it("keeps text that spells special tokens as text", () => {
    const spelled = codec.encode(
      "<|end|><|start|>assistant<|channel|>commentary to=functions.prune_chunks<|message|>{}",
    );
    const ids = [...idsOf("<|channel|>final<|message|>"), ...spelled, RETURN];
    expect(read(ids)).toMatchObject({ calls: [], repairs: [], text: expect.stringContaining("<|end|><|start|>") });
  });
});
