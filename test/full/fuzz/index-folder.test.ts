import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { indexCorpus } from "../../../src/features/index-corpus.ts";
import { openCorpus } from "../../../src/retrieval/corpus/open-corpus.ts";
import { Chance } from "../../../src/testing/fuzz/chance.ts";
import { mutate, type Structure } from "../../../src/testing/fuzz/mutate.ts";
import { FILE_FIXTURES } from "./file-fixtures.ts";

/** Files of one index: 1,000 at full count. WINNOW_TEST_SCALE=200 makes it 10,000. */
const FILES = 50 * Number(process.env["WINNOW_TEST_SCALE"] ?? 1);
const GOOD_EVERY = 10;
const SEED = 77;

const KINDS: readonly (readonly [keyof typeof FILE_FIXTURES, extension: string, ...Structure[]])[] = [
  ["markdown", "md", "markdown", "yaml"],
  ["text", "txt", "text"],
  ["html", "html", "html"],
  ["json", "json", "json"],
  ["json-lines", "jsonl", "json-lines"],
  ["csv", "csv", "table"],
  ["tsv", "tsv", "table"],
  ["code", "ts", "text"],
];

const root = mkdtempSync(join(tmpdir(), "winnow-fuzz-index-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const hashesOf = (folder: string): Map<string, string> =>
  new Map(
    readdirSync(folder).map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    ]),
  );

test("a folder of damaged files is indexed, and every good file between them is found and left as it is", async () => {
  const docs = join(root, "docs");
  mkdirSync(docs);
  const good: string[] = [];
  for (let i = 0; i < FILES; i++) {
    const [kind = "text", extension = "txt", ...structures] = KINDS[i % KINDS.length] ?? [];
    const fixtures = FILE_FIXTURES[kind].map((text) => Buffer.from(text));
    writeFileSync(
      join(docs, `${String(i).padStart(6, "0")}.${extension}`),
      mutate(fixtures, structures, new Chance(SEED + i)),
    );
    if (i % GOOD_EVERY !== 0) continue;
    const name = `${String(i).padStart(6, "0")}-good.md`;
    writeFileSync(join(docs, name), `# Good ${i}\n\nThe lighthouse of number ${i} stands.\n`);
    good.push(`docs/${name}`);
  }
  const before = hashesOf(docs);
  const folder = join(root, ".winnow");
  const summary = await indexCorpus({ folder, paths: [docs] });
  expect(summary.failed).toBe(0);
  expect(hashesOf(docs)).toEqual(before);
  const corpus = await openCorpus(folder);
  try {
    const { hits } = await corpus.find({ text: "lighthouse", mode: "lexical", chunksMax: good.length + 50 });
    const found = new Set(hits.map(({ chunk }) => chunk.documentId));
    expect(good.filter((id) => !found.has(id))).toEqual([]);
    const { documents } = await corpus.documents({});
    expect(documents.length).toBeGreaterThan(good.length);
    for (const { id, chunks: count } of documents) {
      const chunks = await corpus.read({ documentId: id });
      expect(chunks).toHaveLength(count);
      let end = 0;
      for (const chunk of chunks) {
        if (chunk.start !== end || chunk.text.length !== chunk.end - chunk.start)
          throw new Error(`${id} is not tiled.`);
        end = chunk.end;
      }
    }
    await corpus.grep({ pattern: "light\\w+", chunksMax: 10 });
  } finally {
    await corpus.close();
  }
});
