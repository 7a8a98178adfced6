import { expect, test } from "vitest";
import {
  CORPORA,
  type CorpusName,
  type LabelledSet,
  QUESTION_SETS,
  readDocumentList,
  readQuestionSet,
} from "../../bench/support/question-sets.ts";

const root = process.cwd();

const documentsOf = async (corpus: CorpusName): Promise<Set<string>> =>
  new Set((await readDocumentList(root, corpus)).map(({ id }) => id));

interface Label {
  readonly query: string;
  readonly document: string;
  readonly score: string;
}

const labelsOf = (set: LabelledSet): Label[] =>
  set.labels.map((line) => {
    const [query = "", document = "", score = "", ...rest] = line.split("\t");
    expect(rest, line).toEqual([]);
    return { query, document, score };
  });

test.each(CORPORA)("the list of %s names each document once, in order, with its hash", async (corpus) => {
  const listed = await readDocumentList(root, corpus);
  const ids = listed.map(({ id }) => id);
  expect(listed.length).toBeGreaterThan(300);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toEqual([...ids].sort());
  expect(listed.filter(({ hash }) => !/^[0-9a-f]{12}$/.test(hash))).toEqual([]);
});

test.each(QUESTION_SETS)("the questions of %s have ids of their own, and a note each", async (name) => {
  const { questions, notes } = await readQuestionSet(root, name);
  const ids = questions.map(({ _id }) => _id);
  expect(new Set(ids).size).toBe(ids.length);
  expect(new Set(questions.map(({ text }) => text)).size).toBe(ids.length);
  expect(notes.map(({ _id }) => _id)).toEqual(ids);
  expect(questions.filter(({ text }) => text.trim().length < 20)).toEqual([]);
  expect(notes.filter(({ reason }) => reason.trim() === "")).toEqual([]);
});

test.each(QUESTION_SETS)("every label of %s is of a listed document, with a passage if it is needed", async (name) => {
  const set = await readQuestionSet(root, name);
  const documents = { manuals: await documentsOf("manuals"), decisions: await documentsOf("decisions") };
  const questions = new Map(set.questions.map((question) => [question._id, question]));
  const passages = new Map(set.notes.map((note) => [note._id, note.passages]));
  const labels = labelsOf(set);
  expect(new Set(labels.map(({ query, document }) => `${query} ${document}`)).size).toBe(labels.length);
  for (const { query, document, score } of labels) {
    const corpus = questions.get(query)?.corpus ?? (name === "manuals" ? "manuals" : "decisions");
    expect(questions.has(query) && documents[corpus].has(document), `${query} ${document}`).toBe(true);
    const passage = passages.get(query)?.[document];
    expect(score === "1" ? (passage ?? "").length >= 10 : score === "0" && passage === undefined, query).toBe(true);
  }
  const needed = new Set(labels.filter(({ score }) => score === "1").map(({ query }) => query));
  const answered = set.questions.filter(({ kind }) => kind === undefined || kind === "control");
  expect([...needed].sort()).toEqual(answered.map(({ _id }) => _id).sort());
});

test("a question of two hops needs two documents", async () => {
  const labels = labelsOf(await readQuestionSet(root, "twohop"));
  const counts = new Map<string, number>();
  for (const { query } of labels) counts.set(query, (counts.get(query) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count < 2)).toEqual([]);
});

test("what the unanswerable questions take away, no control of their corpus needs", async () => {
  const set = await readQuestionSet(root, "absent");
  const labels = labelsOf(set);
  for (const corpus of CORPORA) {
    const documents = await documentsOf(corpus);
    const asked = set.questions.filter((question) => question.corpus === corpus);
    const removed = new Set(asked.flatMap(({ remove }) => remove ?? []));
    expect([...removed].filter((id) => !documents.has(id))).toEqual([]);
    const controls = new Set(asked.filter(({ kind }) => kind === "control").map(({ _id }) => _id));
    expect(labels.filter(({ query, document }) => controls.has(query) && removed.has(document))).toEqual([]);
    expect(controls.size * 2).toBe(asked.length);
  }
  const noted = new Map(set.notes.map((note) => [note._id, Object.keys(note.passages)]));
  for (const { _id, kind, corpus, remove } of set.questions) {
    expect(corpus, _id).toBeDefined();
    expect((remove ?? []).length > 0, _id).toBe(kind === "removed");
    if (kind !== "control") expect(noted.get(_id), _id).toEqual(remove ?? []);
  }
});
