import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMiniLmEmbedder, MINILM, type ModelDescription } from "./minilm-embedder.ts";
import { TextTokens } from "./text-tokens.ts";

/** Made by Chroma's own default embedding function: python/chroma/minilm_golden.py. */
interface Golden {
  readonly cases: readonly { readonly text: string; readonly ids: readonly number[]; readonly vector: string }[];
}

const fixture = (path: string): string => fileURLToPath(new URL(`./fixtures/${path}`, import.meta.url));
const goldenOf = (path: string): Golden => JSON.parse(readFileSync(fixture(path), "utf8")) as Golden;
const numbersOf = (vector: string): Float32Array =>
  new Float32Array(new Uint8Array(Buffer.from(vector, "base64")).buffer);

/** What Python and this must agree to. */
const TOLERANCE = 1e-5;
const TINY_FOLDER = fixture("tiny");
const tinyGolden = goldenOf("tiny/golden.json");
const TINY: ModelDescription = { name: "tiny", dimension: 16, tokensMax: 256, probe: probeOf(tinyGolden) };
const MODEL_FOLDER = process.env["WINNOW_MINILM"];

function probeOf({ cases }: Golden): ModelDescription["probe"] {
  const known = cases.find(({ text }) => text === MINILM.probe.text);
  return { text: MINILM.probe.text, numbers: [...numbersOf(known?.vector ?? "")].slice(0, 8) };
}

/** The largest difference of any number to Python's. Wordless texts are left out: they get zeros. */
async function distance({ cases }: Golden, folder: string, model: ModelDescription): Promise<number> {
  const vectors = await createMiniLmEmbedder({ folder, model }).embed(cases.map(({ text }) => text));
  return Math.max(
    ...cases.flatMap(({ ids, vector }, at) =>
      ids.length === 2 ? [] : [...numbersOf(vector)].map((number, i) => Math.abs(number - (vectors[at]?.[i] ?? 9))),
    ),
  );
}

describe("the default model of Chroma", () => {
  it("gives the token ids that Python gives", () => {
    const tokens = TextTokens.parse(readFileSync(join(TINY_FOLDER, "tokenizer.json"), "utf8"));
    for (const { text, ids } of tinyGolden.cases) expect(tokens.encode(text, TINY.tokensMax)).toEqual(ids);
  });

  it("gives the vectors that Python gives, with a small random model", async () => {
    expect(await distance(tinyGolden, TINY_FOLDER, TINY)).toBeLessThan(TOLERANCE);
  });

  it.skipIf(MODEL_FOLDER === undefined)(
    "gives the vectors that Python gives, with the model that WINNOW_MINILM names",
    async () => {
      const golden = goldenOf("golden.json");
      const folder = MODEL_FOLDER ?? "";
      const tokens = TextTokens.parse(readFileSync(join(folder, "tokenizer.json"), "utf8"));
      for (const { text, ids } of golden.cases) expect(tokens.encode(text, MINILM.tokensMax)).toEqual(ids);
      expect(await distance(golden, folder, MINILM)).toBeLessThan(TOLERANCE);
    },
    120_000,
  );

  it("gives zeros for a text without a word, and the same vector alone and among others", async () => {
    const embedder = createMiniLmEmbedder({ folder: TINY_FOLDER, model: TINY });
    const [nothing, alone] = [...(await embedder.embed([" \n"])), ...(await embedder.embed(["the index"]))];
    expect(nothing).toEqual(new Float32Array(16));
    expect((await embedder.embed(["what of the error, and why not?", "the index", ""]))[1]).toEqual(alone);
  });

  it("stops when it is cancelled", async () => {
    const embedder = createMiniLmEmbedder({ folder: TINY_FOLDER, model: TINY });
    const controller = new AbortController();
    const embedding = embedder.embed(new Array<string>(2_000).fill("the index"), { signal: controller.signal });
    controller.abort();
    await expect(embedding).rejects.toMatchObject({ code: "cancelled" });
    await expect(embedder.embed(["a"], { signal: controller.signal })).rejects.toMatchObject({ code: "cancelled" });
  });
});

describe("a folder that does not hold the model", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "winnow-minilm-"));
    for (const name of ["model.onnx", "tokenizer.json"]) copyFileSync(join(TINY_FOLDER, name), join(folder, name));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const attempt = (model: ModelDescription = TINY) => createMiniLmEmbedder({ folder, model }).embed(["the index"]);
  const refusal = (message: RegExp) => ({ code: "embedder_failed", message: expect.stringMatching(message) });

  it("is refused for another model, since its vectors would mean something else", async () => {
    const probe = { ...TINY.probe, numbers: TINY.probe.numbers.map((number) => number + 0.01) };
    await expect(attempt({ ...TINY, probe })).rejects.toMatchObject(refusal(/another vector/));
    await expect(attempt(MINILM)).rejects.toMatchObject(refusal(/384 numbers/));
  });

  it("is refused for a damaged model", async () => {
    const weights = readFileSync(join(folder, "model.onnx"));
    for (const bytes of [Buffer.alloc(0), Buffer.from("<html>"), weights.subarray(0, weights.length / 2)]) {
      writeFileSync(join(folder, "model.onnx"), bytes);
      await expect(attempt()).rejects.toMatchObject(refusal(/model\.onnx is not/));
    }
  });

  it("is refused for a damaged tokenizer", async () => {
    const json = readFileSync(join(folder, "tokenizer.json"), "utf8");
    const broken: [string, RegExp][] = [
      [json.slice(1), /not JSON/],
      ["{}", /normalizer/],
      [
        json.replace('"lowercase":true', '"lowercase":false').replace('"lowercase": true', '"lowercase": false'),
        /lowercase/,
      ],
      [json.replace(/"\[CLS\]"/g, '"[XLS]"'), /\[CLS\]/],
    ];
    for (const [content, message] of broken) {
      writeFileSync(join(folder, "tokenizer.json"), content);
      await expect(attempt()).rejects.toMatchObject(refusal(message));
    }
  });

  it("is refused where a file is missing, and taken once it is there", async () => {
    rmSync(join(folder, "model.onnx"));
    const embedder = createMiniLmEmbedder({ folder, model: TINY });
    await expect(embedder.embed(["a"])).rejects.toMatchObject(refusal(/cannot be read/));
    copyFileSync(join(TINY_FOLDER, "model.onnx"), join(folder, "model.onnx"));
    await expect(embedder.embed(["a"])).resolves.toHaveLength(1);
  });
});
