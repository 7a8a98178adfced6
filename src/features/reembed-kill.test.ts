import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleChild, type Child } from "../../test/support/bundle-child.ts";
import { seededRandom } from "../core/clock.ts";
import { corpusLayout } from "../retrieval/corpus/layout.ts";
import { readManifest } from "../retrieval/corpus/manifest.ts";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import { reembed } from "../retrieval/corpus/reembed.ts";
import { indexCorpus } from "./index-corpus.ts";

const KILLS = 2 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
/** Four batches and a part of one. */
const ROWS = 1_100;
const CALLS = 5;
const embedder = { name: "paid:model", dimension: 8 };
const { signal } = new AbortController();
const random = seededRandom(23);

// The child and the test embed alike; functions are sent as their text, so they may use nothing but the hash.
type Hash = typeof createHash;
const vectorOf = (text: string, hash: Hash): Float32Array =>
  Float32Array.from(hash("sha256").update(text).digest().subarray(0, 8), (byte) => byte - 100.5);

/**
 * A process that re-embeds until it kills itself: `node child.js FOLDER POINT AFTER DELAY_MS`. Writes what it asks for
 * and what it is told is safe to its output, past any buffer; `asking` and `safe` are the points that it counts.
 */
const CODE = `
  import { createHash } from "node:crypto";
  import { writeSync } from "node:fs";
  import { reembed } from "./src/retrieval/corpus/reembed.ts";
  const [folder, point, after, delayMs] = process.argv.slice(2);
  let passed = 0;
  const pass = (name) => {
    if (name !== point || ++passed !== Number(after)) return;
    // By its own hand: how late a signal of another process comes depends on how busy the machine is.
    if (Number(delayMs) === 0) process.kill(process.pid, "SIGKILL");
    setTimeout(() => process.kill(process.pid, "SIGKILL"), Number(delayMs));
  };
  await reembed(folder, {
    embedder: ${JSON.stringify(embedder)},
    signal: new AbortController().signal,
    async embed(texts) {
      writeSync(1, "asked " + JSON.stringify(texts) + "\\n");
      pass("asking");
      await new Promise((resolve) => setTimeout(resolve, 3));
      return texts.map((text) => (${vectorOf})(text, createHash));
    },
    onProgress({ chunks }) {
      writeSync(1, "safe " + chunks + "\\n");
      pass("safe");
    },
  });
  writeSync(1, "ended\\n");
`;

let base: string;
let program: Child;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-reembed-kill-"));
  program = await bundleChild("reembed-child", CODE);
  const lines = Array.from({ length: ROWS }, (_, i) => `${JSON.stringify({ id: `r${i}`, text: `word${i} note` })}\n`);
  await writeFile(join(base, "notes.jsonl"), lines.join(""));
  await indexCorpus({ folder: join(base, "old"), paths: [join(base, "notes.jsonl")], signal });
}, 60_000);
afterAll(async () => {
  await rm(base, { recursive: true, force: true });
  await program.remove();
});

interface Ended {
  /** Texts whose vectors were told to be safe, and all that were asked for. */
  readonly safe: readonly string[];
  readonly asked: readonly string[];
}

/** Runs the child until it kills itself. */
async function runChild(folder: string, point: string, after: number, delayMs: number): Promise<Ended> {
  const args = [program.script, folder, point, String(after), String(delayMs)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (data) => {
    said += String(data);
  });
  await new Promise((ended) => child.on("close", ended));
  if (!said.includes("ended\n")) expect(child.signalCode).toBe("SIGKILL");
  const asked = said
    .split("\n")
    .flatMap((line): string[] => (line.startsWith("asked ") && line.endsWith("]") ? JSON.parse(line.slice(6)) : []));
  const told = said.slice(0, said.lastIndexOf("\nsafe ") + 1);
  const safe = asked.filter((text) => told.includes(JSON.stringify(text)));
  return { safe, asked };
}

/** What queries give, by each half, and by which embedder. */
async function observe(folder: string) {
  const corpus = await openCorpus(folder, { embedQuery: async (text) => vectorOf(text, createHash) });
  const { embedder: name, chunks } = await corpus.info();
  const queries = ["word7", "word1000 note", "note"];
  const lexical = await Promise.all(queries.map((text) => corpus.find({ text, mode: "lexical", chunksMax: 5 })));
  const hits = lexical.map((answer) => answer.hits.map(({ chunk, score }) => [chunk.id, score]));
  await corpus.close();
  return { name, chunks, hits };
}

/** The stored vector of every chunk. Another table may be left by a kill after the end; the next writer drops it. */
async function storedVectors(folder: string): Promise<Map<string, number[]>> {
  const lance = await import("@lancedb/lancedb");
  const database = await lance.connect(join(folder, "lance"));
  const { table = "" } = (await readManifest(corpusLayout(folder)))?.manifest.store ?? {};
  const rows = await (await database.openTable(table)).query().select(["id", "vector"]).toArray();
  database.close();
  return new Map(rows.map((row) => [row.id, [...row.vector]]));
}

test("kill -9 while re-embedding leaves the old index, and what was told to be safe is not embedded again", async () => {
  const whole = join(base, "whole");
  await cp(join(base, "old"), whole, { recursive: true });
  await reembed(whole, { embedder, signal, embed: async (texts) => texts.map((text) => vectorOf(text, createHash)) });
  const wanted = await storedVectors(whole);
  expect(wanted.size).toBe(ROWS);
  const [before, after] = [await observe(join(base, "old")), await observe(whole)];
  expect([before.name, after.name]).toEqual([expect.stringContaining("static:"), embedder.name]);
  for (let kill = 0; kill < KILLS; kill++) {
    const folder = join(base, `killed-${kill}`);
    await cp(join(base, "old"), folder, { recursive: true });
    // Every second one dies again after the last batch, somewhere between optimizing, committing and tidying up.
    const isLate = kill % 2 === 1;
    const first = await runChild(folder, kill % 2 === 0 ? "asking" : "safe", 1 + Math.floor(random() * 3), kill % 5);
    expect(await observe(folder)).toEqual(before);
    const second = await runChild(folder, "safe", isLate ? CALLS : 3, isLate ? Math.floor(random() * 400) : 0);
    expect(second.asked.filter((text) => first.safe.includes(text))).toEqual([]);
    const seen = await observe(folder);
    expect([before, after]).toContainEqual(seen);
    const safe = new Set([...first.safe, ...second.safe]);
    if (seen.name === embedder.name) expect(safe.size).toBe(ROWS);
    else {
      const asked: string[] = [];
      const embed = async (texts: readonly string[]) => {
        asked.push(...texts);
        return texts.map((text) => vectorOf(text, createHash));
      };
      const { resumed } = await reembed(folder, { embedder, signal, embed });
      expect(asked.filter((text) => safe.has(text))).toEqual([]);
      expect(resumed + asked.length).toBe(ROWS);
      expect(resumed).toBeGreaterThanOrEqual(safe.size);
      expect(await readdir(folder)).not.toContain("reembed.vectors");
      expect(await readdir(join(folder, "lance"))).toHaveLength(1);
    }
    expect(await observe(folder)).toEqual(after);
    expect(await storedVectors(folder)).toEqual(wanted);
  }
}, 600_000);
