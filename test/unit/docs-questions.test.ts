import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readNotes, readQuestionLines, splitQuestions } from "../../bench/support/docs-questions.ts";
import { listSource, readSources } from "../../scripts/demo/corpus.mjs";

const root = process.cwd();

/** Lines are wrapped, quoted and indented in the documents; a passage is not. */
const plain = (text: string): string => text.replace(/^> ?/gm, "").replace(/\s+/g, " ");

test("every label of the questions over the documentation has its passage in the pinned document", async () => {
  const files = new Map<string, string>(
    readSources(root).flatMap((source) => {
      const { folder, files: names } = listSource(root, source);
      return names.map((name): [string, string] => [`${source.package}/${name}`, join(folder, name)]);
    }),
  );
  const { queries, labels } = await readQuestionLines(root);
  const notes = await readNotes(root);
  const ids = queries.map((line) => (JSON.parse(line) as { _id: string })._id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(notes.map(({ _id }) => _id)).toEqual(ids);
  const needed: string[] = labels
    .filter((line) => !line.endsWith("\t0"))
    .map((line) => line.split("\t").slice(0, 2).join(" "));
  expect(needed.sort()).toEqual(
    notes.flatMap(({ _id, passages }) => Object.keys(passages).map((document) => `${_id} ${document}`)).sort(),
  );
  for (const { _id, passages } of notes) {
    for (const [document, passage] of Object.entries(passages)) {
      const text = plain(await readFile(files.get(document as `${string}/${string}`) ?? "", "utf8"));
      expect(text.includes(plain(passage)), `${_id} ${document}`).toBe(true);
    }
  }
});

test("the halves share nothing and are the whole", async () => {
  const whole = await readQuestionLines(root);
  const halves = splitQuestions(whole);
  for (const part of ["queries", "labels"] as const) {
    const both = [...halves.dev[part], ...halves["held-out"][part]];
    expect(both.sort()).toEqual([...whole[part]].sort());
  }
  const ids = (lines: readonly string[]) => new Set(lines.map((line) => line.split("\t")[0]));
  expect([...ids(halves.dev.labels)].filter((id) => ids(halves["held-out"].labels).has(id))).toEqual([]);
});
