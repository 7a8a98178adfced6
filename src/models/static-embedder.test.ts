import { readFileSync } from "node:fs";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { WinnowError } from "../core/errors.ts";
import type { Embedder } from "./embedder.ts";
import { parseArtefact } from "./static/artefact.ts";
import { createStaticEmbedder, loadStaticEmbedder } from "./static-embedder.ts";

const scale = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const TOLERANCE = 1e-4;

interface Golden {
  readonly embedder: string;
  readonly cases: readonly { readonly text: string; readonly vector: string }[];
}
const golden: Golden = JSON.parse(readFileSync(new URL("static/fixtures/golden.json", import.meta.url), "utf8"));
const file = readFileSync(new URL("../../models/static-minilm/static-minilm.bin", import.meta.url));

const lengthOf = (vector: Float32Array): number => Math.hypot(...vector);
const cosine = (one: Float32Array, other: Float32Array): number =>
  one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
const failure = async (work: Promise<unknown>): Promise<WinnowError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!WinnowError.isInstance(error)) throw new Error(`expected a WinnowError, got ${String(error)}`);
  return error;
};

let embedder: Embedder;
beforeAll(async () => {
  embedder = await loadStaticEmbedder();
});

describe("vectors", () => {
  it("are those of Python in every golden case", async () => {
    expect(embedder.name).toBe(golden.embedder);
    const vectors = await embedder.embed(golden.cases.map(({ text }) => text));
    const worst = golden.cases.map(({ vector }, index) => {
      const bytes = Uint8Array.from(Buffer.from(vector, "base64"));
      const expected = new Float32Array(bytes.buffer);
      expect(expected.length).toBe(embedder.dimension);
      return Math.max(...expected.map((value, at) => Math.abs(value - (vectors[index]?.[at] ?? Number.NaN))));
    });
    expect(Math.max(...worst)).toBeLessThan(TOLERANCE);
  });

  it("have unit length, or are zero for a text without a known word", async () => {
    const texts = ["a query", "", " \n ", "\u0301\u200b", "ꙮ", "x".repeat(10_000), "known ꙮ"];
    const lengths = (await embedder.embed(texts)).map(lengthOf);
    expect(lengths.map((length) => Math.round(length * 1e5) / 1e5)).toEqual([1, 0, 0, 0, 0, 0, 1]);
  });

  it("put related texts closer than unrelated ones", async () => {
    const vectors = await embedder.embed([
      "how do I make a copy of the database",
      "Backing up: write a snapshot of all tables to a file.",
      "The river flows through three provinces before it reaches the sea.",
    ]);
    const [near, far] = vectors.slice(1).map((vector) => cosine(vectors[0] ?? vector, vector));
    expect(near).toBeGreaterThan((far ?? 1) + 0.1);
  });

  it("do not depend on what else is embedded, nor on the kind", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: "grapheme", maxLength: 40 }), { maxLength: 8 }), async (texts) => {
        const together = await embedder.embed(texts, { kind: "query" });
        const alone = await Promise.all(texts.map(async (text) => (await embedder.embed([text]))[0]));
        expect(together).toEqual(alone);
      }),
      { seed: 20_260_101, numRuns: 40 * scale },
    );
  });
});

describe("work", () => {
  it("loads once", async () => {
    expect(await loadStaticEmbedder()).toBe(embedder);
  });

  it("stops when the signal aborts, before and during the work", async () => {
    expect((await failure(embedder.embed(["a"], { signal: AbortSignal.abort() }))).code).toBe("cancelled");
    const abort = new AbortController();
    const texts = Array.from({ length: 2_000 }, () => "some words of a passage ".repeat(200));
    setImmediate(() => abort.abort());
    const started = performance.now();
    expect((await failure(embedder.embed(texts, { signal: abort.signal }))).code).toBe("cancelled");
    expect(performance.now() - started).toBeLessThan(1_500);
  });

  it("tells a timeout from a cancel", async () => {
    const signal = AbortSignal.abort(new DOMException("late", "TimeoutError"));
    expect((await failure(embedder.embed(["a"], { signal }))).code).toBe("timeout");
  });
});

describe("a damaged file", () => {
  it.each<[string, (bytes: Buffer) => unknown]>([
    ["an empty one", () => Buffer.alloc(0)],
    ["another format", (bytes) => Buffer.concat([Buffer.from("GIF89a.."), bytes.subarray(8)])],
    ["one cut in its header", (bytes) => bytes.subarray(0, 40)],
    ["one cut in its vectors", (bytes) => bytes.subarray(0, bytes.length >> 1)],
    ["one with more at its end", (bytes) => Buffer.concat([bytes, Buffer.from("\n")])],
    ["a header of impossible length", (bytes) => bytes.writeUInt32LE(0xffff_ffff, 8)],
    ["a header that is no JSON", (bytes) => bytes.write("?", 12)],
    ["one flipped bit", (bytes) => bytes.writeUInt8(bytes.readUInt8(3_000_000) ^ 1, 3_000_000)],
  ])("%s is refused with a hint", (_, damage) => {
    const copy = Buffer.from(file);
    const changed = damage(copy);
    const parse = (): unknown => parseArtefact(Buffer.isBuffer(changed) ? changed : copy);
    expect(parse).toThrow(
      expect.objectContaining({ code: "embedder_failed", hint: expect.stringContaining("Install") }),
    );
  });

  it("that lies at an odd place in memory is read all the same", async () => {
    const shifted = Buffer.alloc(file.length + 3).subarray(3);
    file.copy(shifted);
    const other = createStaticEmbedder(parseArtefact(shifted));
    expect(await other.embed(["the same words"])).toEqual(await embedder.embed(["the same words"]));
  });
});
