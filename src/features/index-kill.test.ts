import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { bundleChild, type Child } from "../../test/support/bundle-child.ts";
import { seededRandom } from "../core/clock.ts";
import { openCorpus } from "../retrieval/corpus/open-corpus.ts";
import { indexCorpus } from "./index-corpus.ts";

const KILLS = Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const FILES = 80;
const random = seededRandom(17);

/**
 * A process that indexes until it is killed: `node child.js FOLDER PATH`. Says `reading` when it begins to read, and
 * `acknowledged N` when N documents are committed, past any buffer.
 */
const CODE = `
  import { writeSync } from "node:fs";
  import { indexCorpus } from "./src/features/index-corpus.ts";
  import { defaultParts } from "./src/features/indexing/default-parts.ts";
  const [folder, path] = process.argv.slice(2);
  const vector = Float32Array.from({ length: defaultParts.identity.embedder.dimension }, () => 0.1);
  const parts = { ...defaultParts, loadEmbedder: async () => async (texts) => texts.map(() => vector) };
  await indexCorpus(
    { folder, paths: [path], commitIntervalMs: 1, parts },
    {
      onProgress: ({ phase }) => phase === "reading" && writeSync(1, "reading\\n"),
      onCommit: ({ documents }) => writeSync(1, "acknowledged " + documents + "\\n"),
    },
  );
`;

let base: string;
let program: Child;
/** How long the child reads when nobody kills it. */
let readingMs: number;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-kill-"));
  program = await bundleChild("index-child", CODE);
  await writeFiles(join(base, "warm"), 0);
  readingMs = (await runChild("warm", undefined)).readingMs;
}, 60_000);
afterAll(async () => {
  await rm(base, { recursive: true, force: true });
  await program.remove();
});

const word = (i: number, round: number): string => `token${round}x${i}`;
const name = (i: number): string => `f${String(i).padStart(3, "0")}.md`;

/** Files that each hold a word of their own; in a later round every third one is changed and every tenth one gone. */
async function writeFiles(folder: string, round: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (let i = 0; i < FILES; i++) {
    if (round > 0 && i % 10 === 9) await rm(join(folder, name(i)), { force: true });
    else if (round === 0 || i % 3 === 0) {
      const text = `# File ${i}\n\n${word(i, round)} common\n\n${`Filler of file ${i}. `.repeat(40)}\n`;
      await writeFile(join(folder, name(i)), text);
    }
  }
}

interface Ended {
  /** Documents of the last acknowledged commit. */
  readonly acknowledged: number;
  readonly readingMs: number;
}

/** Runs the child on a corpus of the test's folder, and kills it so long after it began to read. */
async function runChild(corpus: string, killAfterMs: number | undefined): Promise<Ended> {
  const folder = join(base, corpus);
  const child = spawn(process.execPath, [program.script, join(folder, ".winnow"), folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let [said, beganMs] = ["", 0];
  child.stdout.on("data", async (data) => {
    said += String(data);
    if (beganMs > 0 || !said.includes("reading")) return;
    beganMs = performance.now();
    if (killAfterMs === undefined) return;
    await sleep(killAfterMs);
    child.kill("SIGKILL");
  });
  await new Promise((ended) => child.on("close", ended));
  if (killAfterMs === undefined) expect(child.exitCode).toBe(0);
  const acknowledged = Number([...said.matchAll(/acknowledged ([0-9]+)\n/g)].at(-1)?.[1] ?? 0);
  return { acknowledged, readingMs: performance.now() - beganMs };
}

/** Every document with its text, and what words and patterns find; undefined where nothing was committed. */
async function observe(corpus: string) {
  const folder = join(base, corpus, ".winnow");
  const opened = await openCorpus(folder).catch((error: { code?: string }) => {
    expect(error.code).toBe("corpus_not_found");
    return undefined;
  });
  if (opened === undefined) return undefined;
  const documents = new Map<string, string>();
  await Promise.all(
    (await opened.items()).map(async (item) => {
      expect(item).toMatchObject({ state: "indexed" });
      documents.set(item.key, (await opened.read({ documentId: item.key })).map(({ text }) => text).join(""));
    }),
  );
  const found = new Map<string, string[]>();
  for (const round of [0, 1]) {
    for (let i = 0; i < FILES; i += 7) {
      const { hits } = await opened.find({ text: word(i, round), mode: "lexical", chunksMax: 5 });
      found.set(
        word(i, round),
        hits.map(({ chunk }) => chunk.id),
      );
    }
  }
  const grep = await opened.grep({ pattern: "token[01]x[0-9]+", chunksMax: 1_000 });
  const { chunks, tokens } = await opened.info();
  await opened.close();
  return { documents, found, grep: grep.hits.map(({ match, hit }) => [hit.chunk.id, match.start]), chunks, tokens };
}

describe("kill -9 while indexing", () => {
  test("loses no acknowledged document; the next run completes to what a clean build gives", async () => {
    await writeFiles(join(base, "clean"), 0);
    await indexCorpus({ folder: join(base, "clean", ".winnow"), paths: [join(base, "clean")] });
    const clean = await observe("clean");
    expect(clean?.documents.size).toBe(FILES);
    let cut = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const corpus = `first-${kill}`;
      await writeFiles(join(base, corpus), 0);
      const { acknowledged } = await runChild(corpus, (0.1 + 0.7 * random()) * readingMs);
      const after = await observe(corpus);
      const documents = after?.documents.size ?? 0;
      expect(documents).toBeGreaterThanOrEqual(acknowledged);
      expect(after?.grep.length ?? 0).toBe(documents);
      // Files are read in the order of their names.
      for (const [i, key] of [...(after?.documents.keys() ?? [])].sort().entries()) expect(key).toBe(name(i));
      for (let i = 0; i < documents; i += 7) expect(after?.found.get(word(i, 0))).toHaveLength(1);
      if (documents < FILES) cut++;
      await indexCorpus({ folder: join(base, corpus, ".winnow"), paths: [join(base, corpus)] });
      expect(await observe(corpus)).toEqual(clean);
    }
    // One may come too late; of many, some hit.
    if (KILLS >= 5) expect(cut).toBeGreaterThan(0);
  }, 300_000);

  test("while refreshing, every document is the old or the new one, and then the new one", async () => {
    await writeFiles(join(base, "renewed"), 0);
    await writeFiles(join(base, "renewed"), 1);
    await indexCorpus({ folder: join(base, "renewed", ".winnow"), paths: [join(base, "renewed")] });
    const renewed = await observe("renewed");
    for (let kill = 0; kill < KILLS; kill++) {
      const corpus = `second-${kill}`;
      const folder = join(base, corpus);
      await writeFiles(folder, 0);
      await indexCorpus({ folder: join(folder, ".winnow"), paths: [folder] });
      const before = await observe(corpus);
      await writeFiles(folder, 1);
      await runChild(corpus, (random() * readingMs) / 2);
      const after = await observe(corpus);
      for (let i = 0; i < FILES; i++) {
        const allowed = [before?.documents.get(name(i)), renewed?.documents.get(name(i))];
        expect(allowed).toContain(after?.documents.get(name(i)));
      }
      expect(after?.grep.length).toBe(after?.documents.size);
      await indexCorpus({ folder: join(folder, ".winnow"), paths: [folder] });
      expect(await observe(corpus)).toEqual(renewed);
    }
  }, 300_000);
});
