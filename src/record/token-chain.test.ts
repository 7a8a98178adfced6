import fc from "fast-check";
import { expect, test } from "vitest";
import { WinnowError } from "../core/errors.ts";
import { RECORD_SCHEMA, type RecordedTokens } from "./events.ts";
import { parseRecord } from "./reader.ts";
import { TokenChain } from "./token-chain.ts";

const ids = fc.array(fc.nat(3), { maxLength: 12 });

test("prompts come back as they went in, and share all that they can", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ prompt: ids, completion: ids }), { maxLength: 8 }), (turns) => {
      const [packer, unpacker] = [new TokenChain(), new TokenChain()];
      let last: readonly number[] = [];
      for (const { prompt, completion } of turns) {
        const packed = packer.pack(prompt, completion);
        expect(prompt.slice(0, packed.keep)).toEqual(last.slice(0, packed.keep));
        if (packed.add.length > 0 && packed.keep < last.length) expect(packed.add[0]).not.toBe(last[packed.keep]);
        expect(unpacker.unpack({ prompt: packed, completion })).toEqual(prompt);
        last = [...prompt, ...completion];
      }
    }),
    { seed: 20_260_512, numRuns: 200 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1) },
  );
});

test.each<[string, unknown, boolean]>([
  ["as written", {}, true],
  ["without log-probabilities", { logprobs: undefined }, true],
  ["with too few log-probabilities", { logprobs: [-1] }, false],
  ["with a log-probability above zero", { logprobs: [-1, 0.5] }, false],
  ["with an id that is no number", { completion: [1, "2"] }, false],
  ["with a negative id", { completion: [1, -2] }, false],
  ["without a prompt", { prompt: undefined }, false],
])("a record with tokens %s", (_name, change, fine) => {
  const tokens: RecordedTokens = {
    prompt: { keep: 0, add: [5] },
    completion: [1, 2],
    logprobs: [-1, 0],
    renderer: "harmony/1",
    sampled: true,
  };
  const header = {
    type: "header",
    schema: RECORD_SCHEMA,
    runId: "r",
    query: "q",
    profile: { name: "p" },
    documentsMax: 1,
  };
  const decision = { type: "decision", seq: 1, at: 0, turn: 1, promptHash: "", calls: [] };
  const event = { ...decision, tokens: { ...tokens, ...(change as object) } };
  const text = `${JSON.stringify(header)}\n${JSON.stringify(event)}\n`;
  if (fine) expect(parseRecord(text, "r").events).toHaveLength(1);
  else expect(() => parseRecord(text, "r")).toThrow(WinnowError);
});
