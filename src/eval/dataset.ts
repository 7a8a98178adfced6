import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod/mini";
import { systemErrorCode, toWinnowError } from "../core/errors.ts";
import { oneLine, plural } from "../core/text.ts";
import type { Notice } from "../core/types.ts";
import { CORPUS_FILE } from "./corpus-source.ts";
import type { Gold } from "./metrics.ts";
import { defect, type TextLine, textLines } from "./text-lines.ts";

/** More queries than this are not an evaluation that anyone runs at once. */
export const QUERIES_MAX = 1_000_000;

export interface DatasetQuery {
  readonly id: string;
  readonly text: string;
  /** The answer and its aliases; empty when the dataset has none. */
  readonly answers: readonly string[];
  /** At least one relevant document. */
  readonly gold: Gold;
}

export interface Dataset {
  /** Name of the folder; of both folders where the corpus lies in the one above, e.g. `world-single-hop`. */
  readonly name: string;
  readonly folder: string;
  /** The file that holds the documents. */
  readonly corpusFile: string;
  /** Identifies queries and labels; evaluations of equal hashes are comparable. */
  readonly hash: string;
  readonly documents: number;
  /** Labelled queries, in file order. */
  readonly queries: readonly DatasetQuery[];
  /** What is odd but usable: queries without labels, labels for documents that the corpus lacks. */
  readonly notices: readonly Notice[];
  /** Title and text of a document, or undefined when the corpus lacks it. */
  documentText(id: string): Promise<string | undefined>;
}

const identifier = z.union([z.string().check(z.minLength(1)), z.number()]);
const documentLine = z.object({ _id: identifier, title: z.optional(z.nullable(z.string())), text: z.string() });
const answer = z.union([z.string(), z.number(), z.null(), z.array(z.string())]);
const queryLine = z.object({
  _id: identifier,
  text: z.string().check(z.minLength(1)),
  answer: z.optional(answer),
  aliases: z.optional(z.nullable(z.array(z.string()))),
});

const QRELS_FILES = ["qrels.tsv", join("qrels", "test.tsv")];

/**
 * Loads a dataset in the BEIR layout: `corpus.jsonl`, `queries.jsonl` with optional `answer` and `aliases`, and
 * `qrels.tsv` or `qrels/test.tsv` with its header line. A folder without a corpus takes that of the folder above, so that
 * several sets of questions can share one. Texts of the corpus stay on disk. Rejects with
 * `dataset_invalid`, naming file and line, for every defect: missing files, malformed lines, repeated ids, labels of
 * unknown queries, no labelled query at all.
 */
export async function loadDataset(folder: string, signal?: AbortSignal): Promise<Dataset> {
  try {
    const root = resolve(folder);
    const qrelsFile = await firstPresent(root, QRELS_FILES);
    await firstPresent(root, ["queries.jsonl"]);
    const corpusFile = join(root, await firstPresent(root, [CORPUS_FILE, join("..", CORPUS_FILE)], CORPUS_FILE));
    const texts = await readQueries(root, signal);
    const labels = await readQrels(root, qrelsFile, texts, signal);
    const documents = await readCorpus(corpusFile, signal);
    const queries: DatasetQuery[] = [];
    for (const [id, query] of texts) {
      const gold = labels.get(id);
      if (gold !== undefined) queries.push({ id, ...query, gold });
    }
    if (queries.length === 0) throw defect(qrelsFile, undefined, "no query has a relevant document");
    return {
      name: dirname(corpusFile) === root ? basename(root) : `${basename(dirname(root))}-${basename(root)}`,
      folder: root,
      corpusFile,
      hash: hashOf(queries),
      documents: documents.size,
      queries,
      notices: noticesOf(texts.size, queries, documents),
      documentText: (id) => readText(corpusFile, documents.get(id)),
    };
  } catch (error) {
    throw toWinnowError(error, "dataset_invalid");
  }
}

async function firstPresent(root: string, names: readonly string[], shown = names.join(" or ")): Promise<string> {
  for (const name of names) {
    try {
      if ((await stat(join(root, name))).isFile()) return name;
    } catch (error) {
      if (!["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) throw error;
    }
  }
  throw defect(shown, undefined, "the file is missing");
}

type QueryTexts = Map<string, { readonly text: string; readonly answers: readonly string[] }>;

async function readQueries(root: string, signal?: AbortSignal): Promise<QueryTexts> {
  const name = "queries.jsonl";
  const queries: QueryTexts = new Map();
  for await (const line of textLines(join(root, name), name, signal)) {
    const { _id, text, answer: given, aliases } = parseLine(queryLine, line, name);
    const id = String(_id);
    if (queries.has(id)) throw defect(name, line.number, `the query ${oneLine(id, 60)} comes twice`);
    if (queries.size >= QUERIES_MAX) throw defect(name, line.number, `there are more than ${QUERIES_MAX} queries`);
    const main = given === undefined || given === null ? [] : Array.isArray(given) ? given : [String(given)];
    queries.set(id, { text, answers: [...main, ...(aliases ?? [])].filter((each) => each.trim() !== "") });
  }
  return queries;
}

async function readQrels(
  root: string,
  name: string,
  queries: QueryTexts,
  signal?: AbortSignal,
): Promise<Map<string, Map<string, number>>> {
  const labels = new Map<string, Map<string, number>>();
  const labelled = new Set<string>();
  let first = true;
  for await (const line of textLines(join(root, name), name, signal)) {
    const [query = "", document = "", score = "", ...rest] = line.text.split("\t").map((field) => field.trim());
    const isHeader = first && !/^-?\d+$/.test(score) && rest.length === 0 && document !== "";
    first = false;
    if (isHeader) continue;
    if (query === "" || document === "" || rest.length > 0 || !/^-?\d{1,9}$/.test(score)) {
      throw defect(name, line.number, "expected query-id, corpus-id and a whole number, with tabs between");
    }
    if (!queries.has(query)) throw defect(name, line.number, `the query ${oneLine(query, 60)} is not in queries.jsonl`);
    const pair = `${query}\t${document}`;
    if (labelled.has(pair)) throw defect(name, line.number, `the label of ${oneLine(document, 60)} comes twice`);
    labelled.add(pair);
    // Zero and negative grades say that a document was judged and is not relevant.
    if (Number(score) <= 0) continue;
    const gold = labels.get(query) ?? new Map<string, number>();
    labels.set(query, gold.set(document, Number(score)));
  }
  return labels;
}

interface Place {
  readonly offset: number;
  readonly bytes: number;
}

async function readCorpus(path: string, signal?: AbortSignal): Promise<Map<string, Place>> {
  const name = CORPUS_FILE;
  const documents = new Map<string, Place>();
  for await (const line of textLines(path, name, signal)) {
    const id = String(parseLine(documentLine, line, name)._id);
    if (documents.has(id)) throw defect(name, line.number, `the document ${oneLine(id, 60)} comes twice`);
    documents.set(id, { offset: line.offset, bytes: line.bytes });
  }
  if (documents.size === 0) throw defect(name, undefined, "the file holds no document");
  return documents;
}

async function readText(path: string, place: Place | undefined): Promise<string | undefined> {
  if (place === undefined) return undefined;
  const file = await open(path, "r");
  try {
    const bytes = Buffer.alloc(place.bytes);
    await file.read(bytes, 0, bytes.length, place.offset);
    const line = {
      number: 0,
      offset: place.offset,
      bytes: place.bytes,
      text: bytes.toString("utf8").replace(/^\ufeff/, ""),
    };
    const { title, text } = parseLine(documentLine, line, CORPUS_FILE);
    return `${title ?? ""}\n${text}`;
  } finally {
    await file.close();
  }
}

function parseLine<T>(schema: z.ZodMiniType<T>, line: TextLine, name: string): T {
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch (cause) {
    throw defect(name, line.number, "the line is not JSON", cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const field = parsed.error.issues[0]?.path.join(".") ?? "";
  throw defect(
    name,
    line.number,
    field === "" ? "the line is not an object" : `"${field}" is missing or of a wrong type`,
  );
}

function hashOf(queries: readonly DatasetQuery[]): string {
  const hash = createHash("sha256");
  for (const { id, text, answers, gold } of queries)
    hash.update(`${JSON.stringify([id, text, answers, [...gold].sort()])}\n`);
  return hash.digest("hex").slice(0, 16);
}

function noticesOf(total: number, queries: readonly DatasetQuery[], documents: ReadonlyMap<string, Place>): Notice[] {
  const notices: Notice[] = [];
  if (queries.length < total) {
    const message = `${plural(total - queries.length, "query", "queries")} without a relevant document left out.`;
    notices.push({ code: "queries_unlabelled", message });
  }
  const missing = new Set(queries.flatMap(({ gold }) => [...gold.keys()].filter((id) => !documents.has(id))));
  if (missing.size > 0) {
    const [example = ""] = missing;
    const message = `${plural(missing.size, "relevant document")} not in corpus.jsonl, e.g. ${oneLine(example, 60)}.`;
    notices.push({ code: "gold_missing", message });
  }
  return notices;
}
