import { createHash } from "node:crypto";
import { copyFile, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { WinnowError } from "../core/errors.ts";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import { interruptedEmbedder, type ReembedProgress, reembed } from "../retrieval/corpus/reembed.ts";
import { indexCorpus } from "./index-corpus.ts";
import { reembedCorpus } from "./reembed-corpus.ts";

const { signal } = new AbortController();
/** More than two batches, and the same text twice. */
const ROWS = 600;
const embedder = { name: "openai-compatible:paid", dimension: 4 };
const KEPT = "reembed.vectors";

let base: string;
let folder: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-resume-"));
  folder = join(base, ".winnow");
  await writeRows((i) => `note ${i % (ROWS - 1)}`);
  await indexCorpus({ folder, paths: [base], signal, embedder: { spec: "none" } });
});
afterEach(() => rm(base, { recursive: true, force: true }));

function writeRows(textOf: (i: number) => string): Promise<void> {
  const lines = Array.from(
    { length: ROWS },
    (_, i) => `${JSON.stringify({ id: `r${i}`, title: "Note", text: textOf(i) })}\n`,
  );
  return writeFile(join(base, "notes.jsonl"), lines.join(""));
}

function vectorOf(text: string): Float32Array {
  return Float32Array.from(createHash("sha256").update(text).digest().subarray(0, 4), (byte) => byte + 1);
}

/** An embedder that notes what it is asked for and fails at the call with this number. */
function counting(failsAt = Number.POSITIVE_INFINITY) {
  const asked: string[] = [];
  let calls = 0;
  const embed = async (texts: readonly string[]) => {
    if (++calls >= failsAt) throw new WinnowError("embedder_failed", "The network is gone.");
    asked.push(...texts);
    return texts.map(vectorOf);
  };
  return { asked, embed };
}

/** The stored vector of every chunk. */
async function storedVectors(): Promise<Map<string, number[]>> {
  const lance = await import("@lancedb/lancedb");
  const database = await lance.connect(join(folder, "lance"));
  const [name = "", ...others] = await database.tableNames();
  expect(others).toEqual([]);
  const rows = await (await database.openTable(name)).query().select(["id", "vector"]).toArray();
  database.close();
  return new Map(rows.map((row) => [row.id, [...row.vector]]));
}

async function interrupt(failsAt: number): Promise<string[]> {
  const { asked, embed } = counting(failsAt);
  await expect(reembed(folder, { embedder, embed, signal })).rejects.toMatchObject({ code: "embedder_failed" });
  expect(await readdir(folder)).toContain(KEPT);
  expect(await readdir(join(folder, "lance"))).toHaveLength(1);
  return asked;
}

describe("a re-embedding that was interrupted", () => {
  test("goes on where it stopped, says so, and ends with the same vectors", async () => {
    const whole = counting();
    await reembed(folder, { embedder, embed: whole.embed, signal });
    const wanted = await storedVectors();
    expect(whole.asked).toHaveLength(ROWS - 1);
    expect(await readdir(folder)).not.toContain(KEPT);
    const { generation } = (await reembed(folder, { embedder: null, embed: whole.embed, signal })).manifest;

    const first = await interrupt(3);
    const corpus = await openCorpus(folder);
    expect(await corpus.info()).toMatchObject({ embedder: null, generation });
    await corpus.close();
    const { asked, embed } = counting();
    const told: ReembedProgress[] = [];
    const again = await reembed(folder, { embedder, embed, signal, onProgress: (progress) => told.push(progress) });
    expect(asked.filter((text) => first.includes(text))).toEqual([]);
    expect(new Set([...first, ...asked]).size).toBe(ROWS - 1);
    expect(again).toMatchObject({
      // The text that stands twice was made once.
      resumed: first.length + 1,
      manifest: { generation: generation + 1, identity: { embedder } },
    });
    expect(told.at(-1)).toEqual({ chunks: ROWS, chunksTotal: ROWS, resumed: first.length + 1 });
    expect(told.map(({ chunks }) => chunks)).toEqual([...told.map(({ chunks }) => chunks)].sort((a, b) => a - b));
    expect(await storedVectors()).toEqual(wanted);
    expect(await readdir(folder)).not.toContain(KEPT);
  });

  test("asks only for what has changed when the corpus has", async () => {
    const first = await interrupt(3);
    await writeRows((i) => (i % 100 === 0 ? `changed ${i}` : `note ${i % (ROWS - 1)}`));
    await indexCorpus({ folder, paths: [], signal });
    const { asked, embed } = counting();
    const { resumed } = await reembed(folder, { embedder, embed, signal });
    expect(asked.filter((text) => first.includes(text))).toEqual([]);
    expect(asked.filter((text) => text.includes("changed"))).toHaveLength(ROWS / 100);
    expect(resumed + asked.length).toBe(ROWS);
    const { asked: all, embed: anew } = counting();
    await reembed(folder, { embedder: null, embed: anew, signal });
    const wanted = await reembed(folder, { embedder, embed: anew, signal });
    expect(wanted.resumed).toBe(0);
    expect(all).toHaveLength(ROWS);
  });

  test("another embedder drops what was kept, and so does the end of a run", async () => {
    await interrupt(3);
    const other = { name: "openai-compatible:other", dimension: 4 };
    const { asked, embed } = counting();
    await reembed(folder, { embedder: other, embed, signal });
    expect(asked).toHaveLength(ROWS - 1);
    await interrupt(3);
    await copyFile(join(folder, KEPT), join(base, "copy"));
    await reembed(folder, { embedder, embed, signal });
    // As if it had been killed just before it tidied up.
    await copyFile(join(base, "copy"), join(folder, KEPT));
    expect(await interruptedEmbedder(folder)).toBeUndefined();
    const last = counting();
    expect((await reembed(folder, { embedder, embed: last.embed, signal })).resumed).toBe(0);
    expect(last.asked).toHaveLength(ROWS - 1);
  });

  test("a damaged file of kept vectors costs only time", async () => {
    await interrupt(3);
    await writeFile(join(folder, KEPT), "garbage");
    const { asked, embed } = counting();
    expect((await reembed(folder, { embedder, embed, signal })).resumed).toBe(0);
    expect(asked).toHaveLength(ROWS - 1);
  });

  test("goes on with its embedder when none is named", async () => {
    await interrupt(2);
    expect(await interruptedEmbedder(folder)).toEqual(embedder);
    // Whoever forgets the address is told so, instead of being given vectors of another embedder.
    await expect(reembedCorpus({ folder, signal })).rejects.toMatchObject({
      code: "embedder_failed",
      message: expect.stringContaining(embedder.name),
    });
    expect(await readdir(folder)).toContain(KEPT);
    expect(await reembedCorpus({ folder, embedder: { spec: "static" }, signal })).toMatchObject({ resumed: 0 });
    expect(await interruptedEmbedder(folder)).toBeUndefined();
  });
});
