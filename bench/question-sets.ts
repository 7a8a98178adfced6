// Lays the labelled questions of examples/questions out in the BEIR layout that `winnow eval` reads:
// `node scripts/bench.mjs question-sets SOURCES OUT [SET…]`. No part of this repository holds the documents: SOURCES is a folder
// with `packages` (unpacked Debian packages) and `peps` (a checkout); what to fetch is told when it is missing. Each set
// is written whole and in halves, e.g. OUT/manuals, OUT/manuals/dev and OUT/manuals/held-out.
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { createFilesSource } from "../src/sources/files/files-source.ts";
import { type QuestionLines, splitQuestions } from "./support/docs-questions.ts";
import { overlap } from "./support/overlap.ts";
import {
  bareWords,
  CORPORA,
  type CorpusName,
  type LabelledSet,
  QUESTION_SETS,
  readDocumentList,
  readQuestionSet,
  shortHash,
} from "./support/question-sets.ts";

const [sources, target, ...names] = process.argv.slice(2);
if (sources === undefined || target === undefined) throw new Error("Name the folder of the sources and one to write.");
const from = resolve(sources);
const out = resolve(target);
const root = process.cwd();

const HOW_TO_GET = `The sources are laid out like this, in the versions that the questions were labelled with:
  apt-get download python3.11-doc=3.11.2-6+deb12u9 git-doc=1:2.39.5-0+deb12u3 debian-policy=4.6.2.0   (Debian 12)
  for each of the three: dpkg -x FILE.deb ${join(from, "packages")}
  git clone https://github.com/python/peps ${join(from, "peps")}
  git -C ${join(from, "peps")} checkout ba4deeb7969588d937da609008d05bb83a47b1ab`;

interface Row {
  readonly _id: string;
  readonly title: string;
  readonly text: string;
  readonly format: string;
}

const DOC = join(from, "packages", "usr", "share", "doc");

/** Where the file of a document lies among the sources. */
function sourceFile(id: string): string {
  const [folder, ...rest] = id.split("/");
  if (rest.length === 0) return join(from, "peps", "peps", id);
  const name = rest.join("/");
  if (folder === "python") return join(DOC, "python3.11", "html", "_sources", `${name}.txt`);
  return folder === "git" ? join(DOC, "git-doc", name) : join(DOC, "debian-policy", "policy.html", name);
}

/** One row a document, with the title and text that indexing the files would find. */
async function corpusRows(corpus: CorpusName): Promise<Row[]> {
  const folder = join(out, "files", corpus);
  const changed: string[] = [];
  const listed = await readDocumentList(root, corpus);
  for (const { id, hash } of listed) {
    const bytes = await readFile(sourceFile(id)).catch(() => {
      throw new Error(`${sourceFile(id)} cannot be read.\n${HOW_TO_GET}`);
    });
    if (shortHash(bytes) !== hash) changed.push(id);
    await mkdir(dirname(join(folder, id)), { recursive: true });
    await writeFile(join(folder, id), bytes);
  }
  if (changed.length > 0)
    console.warn(`${changed.length} documents of ${corpus} differ from those that were labelled, e.g. ${changed[0]}.`);
  const source = createFilesSource({ roots: [folder], base: folder });
  const signal = new AbortController().signal;
  const rows: Row[] = [];
  for await (const found of source.list(signal)) {
    if (!("item" in found)) continue;
    const outcome = await source.read(found.item, signal);
    if (!("documents" in outcome)) throw new Error(`${found.item.key} was skipped.`);
    for (const { id, title, text, format } of outcome.documents) rows.push({ _id: id, title, text, format });
  }
  if (rows.length !== listed.length) throw new Error(`${rows.length} documents were read of ${listed.length}.`);
  await rm(join(out, "files"), { recursive: true });
  return rows;
}

const lines = (all: readonly string[]): string => all.map((line) => `${line}\n`).join("");

async function writeQuestions(folder: string, { queries, labels }: QuestionLines): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "queries.jsonl"), lines(queries));
  await writeFile(join(folder, "qrels.tsv"), `query-id\tcorpus-id\tscore\n${lines(labels)}`);
}

async function writeSet(name: string, rows: readonly Row[], questions: QuestionLines): Promise<void> {
  const folder = join(out, name);
  await writeQuestions(folder, questions);
  await writeFile(join(folder, "corpus.jsonl"), lines(rows.map((row) => JSON.stringify(row))));
  for (const [half, part] of Object.entries(splitQuestions(questions))) await writeQuestions(join(folder, half), part);
  const texts = new Map(rows.map(({ _id, text }) => [_id, text]));
  const words = overlap(questions, texts);
  console.log(`${name}: ${rows.length} documents, ${questions.queries.length} questions; ${words}.`);
}

/** The questions of one corpus, with their labels. */
function questionsOf(set: LabelledSet, corpus: CorpusName): LabelledSet {
  const ids = new Set(set.questions.filter((each) => each.corpus === corpus).map(({ _id }) => _id));
  return {
    queries: set.queries.filter((_, i) => ids.has(set.questions[i]?._id ?? "")),
    labels: set.labels.filter((line) => ids.has(line.split("\t")[0] ?? "")),
    questions: set.questions.filter(({ _id }) => ids.has(_id)),
    notes: set.notes.filter(({ _id }) => ids.has(_id)),
  };
}

/** Says which of the passages, that each label stands for, are not in these versions of the documents. */
function checkPassages(name: string, { notes }: LabelledSet, rows: readonly Row[]): void {
  const texts = new Map(rows.map(({ _id, text }) => [_id, bareWords(text)]));
  for (const { _id, passages } of notes) {
    for (const [document, passage] of Object.entries(passages)) {
      if (texts.get(document)?.includes(bareWords(passage)) !== true)
        console.warn(`${name} ${_id}: ${document} does not have "${passage}".`);
    }
  }
}

/** The questions of `absent` share a corpus of which the documents that any of them must not find are taken away. */
async function writeAbsent(): Promise<void> {
  const absent = await readQuestionSet(root, "absent");
  for (const corpus of CORPORA) {
    const part = questionsOf(absent, corpus);
    const rows = await rowsOf(corpus);
    checkPassages("absent", part, rows);
    const removed = new Set(part.questions.flatMap(({ remove }) => remove ?? []));
    const left = rows.filter(({ _id }) => !removed.has(_id));
    await writeSet(join("absent", corpus), left, part);
  }
}

const read = new Map<CorpusName, Promise<Row[]>>();

function rowsOf(corpus: CorpusName): Promise<Row[]> {
  const rows = read.get(corpus) ?? corpusRows(corpus);
  read.set(corpus, rows);
  return rows;
}

const wanted: readonly string[] = names.length > 0 ? names : QUESTION_SETS;
const unknown = wanted.filter((name) => !QUESTION_SETS.some((set) => set === name));
if (unknown.length > 0) throw new Error(`There is no set "${unknown[0]}". Sets: ${QUESTION_SETS.join(", ")}.`);
for (const name of QUESTION_SETS) {
  if (!wanted.includes(name)) continue;
  if (name === "absent") {
    await writeAbsent();
    continue;
  }
  const rows = await rowsOf(name === "manuals" ? "manuals" : "decisions");
  const set = await readQuestionSet(root, name);
  checkPassages(name, set, rows);
  await writeSet(name, rows, set);
}
