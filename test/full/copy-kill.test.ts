import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { seededRandom } from "../../src/core/clock.ts";
import { copyCorpus } from "../../src/features/copy-corpus.ts";
import { indexCorpus } from "../../src/features/index-corpus.ts";
import { openCorpora } from "../../src/features/open-corpora.ts";
import { openFolderSource } from "../../src/retrieval/copy/folder-source.ts";
import { STORE_KINDS } from "../../src/retrieval/corpus/manifest.ts";
import type { StoreRow } from "../../src/retrieval/store/store.ts";
import { bundleChild, type Child } from "../support/bundle-child.ts";

/** Each costs a process, a copy and its end; more find nothing that these do not. */
const KILLS = Math.min(2, Number(process.env["WINNOW_TEST_SCALE"] ?? 1));
/** Three commits and a part of one. */
const ROWS = 6_300;
const COMMITS = 3;
/** Longer than it takes to make a copy whole. */
const FINISHING_MS = 600;
const { signal } = new AbortController();
const random = seededRandom(29);

/**
 * A process that copies until it kills itself, so long after it was told the so-manieth time how far it is:
 * `node child.js WORK TO STORE AFTER DELAY_MS`. Writes what it is told to its output, past any buffer.
 */
const CODE = `
  import { writeSync } from "node:fs";
  import { copyCorpus } from "./src/features/copy-corpus.ts";
  const [workingFolder, to, store, after, delayMs] = process.argv.slice(2);
  let told = 0;
  await copyCorpus(
    { from: ".", to, store, scope: { workingFolder, known: {} }, environment: {}, signal: new AbortController().signal },
    ({ phase, chunks }) => {
      writeSync(1, phase + " " + chunks + "\\n");
      if (++told !== Number(after)) return;
      // By its own hand: how late a signal of another process comes depends on how busy the machine is.
      if (Number(delayMs) === 0) process.kill(process.pid, "SIGKILL");
      setTimeout(() => process.kill(process.pid, "SIGKILL"), Number(delayMs));
    },
  );
  writeSync(1, "ended\\n");
`;

let base: string;
let program: Child;
let wanted: Map<string, StoreRow>;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "winnow-copy-kill-"));
  program = await bundleChild("copy-child", CODE);
  const lines = Array.from({ length: ROWS }, (_, i) => `${JSON.stringify({ id: `r${i}`, text: `word${i} note` })}\n`);
  await writeFile(join(base, "notes.jsonl"), lines.join(""));
  await indexCorpus({ folder: join(base, ".winnow"), paths: [join(base, "notes.jsonl")], signal });
  wanted = await rowsOf(".");
}, 120_000);
afterAll(async () => {
  await rm(base, { recursive: true, force: true });
  await program.remove();
});

async function rowsOf(place: string): Promise<Map<string, StoreRow>> {
  const source = await openFolderSource(join(base, place, ".winnow"));
  const rows: StoreRow[] = [];
  for await (const part of source.rows(signal)) rows.push(...part);
  await source.close();
  expect(rows).toHaveLength(ROWS);
  return new Map(rows.map((row) => [row.chunk.id, row]));
}

/** Runs the child until it kills itself. Resolves with how many chunks it was told to be safe. */
async function runChild(args: readonly string[]): Promise<{ safe: number; ended: boolean }> {
  const child = spawn(process.execPath, [program.script, base, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (data) => {
    said += String(data);
  });
  await new Promise((closed) => child.on("close", closed));
  const ended = said.includes("ended\n");
  if (!ended) expect(child.signalCode).toBe("SIGKILL");
  return { safe: Number([...said.matchAll(/copying ([0-9]+)\n/g)].at(-1)?.[1] ?? 0), ended };
}

const scope = () => ({ workingFolder: base, known: {} });

test.each(STORE_KINDS)(
  "kill -9 while copying to %s: no half of it is taken for a corpus, and what was safe is not copied again",
  async (store) => {
    for (let kill = 0; kill < KILLS; kill++) {
      const to = `${store}-${kill}`;
      const first = await runChild([to, store, String(1 + Math.floor(random() * COMMITS)), String(kill % 5)]);
      expect(first.ended).toBe(false);
      expect(first.safe).toBeGreaterThan(0);
      await expect(openCorpora({ ...scope(), named: [to] })).rejects.toMatchObject({ code: "corpus_not_found" });
      // Dies again somewhere between its next rows and its end.
      const second = await runChild([to, store, "1", String(Math.floor(random() * FINISHING_MS))]);
      const summary = await copyCorpus({ from: ".", to, store, scope: scope(), environment: {}, signal }).catch(
        (error: unknown) => error,
      );
      if (second.ended) expect(summary).toMatchObject({ code: "invalid_argument" });
      else {
        const safe = Math.max(first.safe, second.safe);
        expect(summary).toMatchObject({ chunks: ROWS });
        expect(summary).toHaveProperty(
          "copied",
          expect.toSatisfy((copied: number) => copied <= ROWS - safe),
        );
      }
      expect(await rowsOf(to)).toEqual(wanted);
      const [corpus] = await openCorpora({ ...scope(), named: [to] });
      const grep = await corpus?.grep({ pattern: "word62[0-9]{2} note", chunksMax: 1_000 });
      expect(grep?.hits).toHaveLength(100);
      expect((await corpus?.find({ text: "word6299", mode: "lexical", chunksMax: 3 }))?.hits).toHaveLength(1);
      await corpus?.close();
    }
  },
  600_000,
);
