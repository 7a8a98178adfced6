import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { systemErrorCode, toWinnowError, WinnowError } from "../core/errors.ts";
import { oneLine } from "../core/text.ts";
import { type CompareOptions, type Comparison, compare } from "../eval/compare.ts";
import { readEvaluation, type StoredEvaluation } from "../eval/evaluation-files.ts";
import { CORPUS_FOLDER_NAME, corpusLayout } from "../retrieval/corpus/layout.ts";

export type { Comparison } from "../eval/compare.ts";

/** A file with the row of an evaluation (`winnow eval --json`) is smaller than this. */
const ROW_FILE_BYTES_MAX = 1024 * 1024;

export interface CompareEvaluationsOptions extends CompareOptions {
  /**
   * Evaluations, the baseline first: the id of one under `cacheFolder` or an unambiguous beginning of it, its folder, a
   * file in that folder, or a file with the row that `winnow eval --json` printed.
   */
  readonly evaluations: readonly string[];
  /** Folder under which indexes of datasets and their evaluations are kept. */
  readonly cacheFolder: string;
  readonly workingFolder: string;
}

/** Reads evaluations and compares them. Rejects with `invalid_argument`, `run_not_found` or `record_corrupt`. */
export async function compareEvaluations(options: CompareEvaluationsOptions): Promise<Comparison> {
  const stored: StoredEvaluation[] = [];
  for (const name of options.evaluations) stored.push(await readNamed(name, options));
  return compare(stored, options);
}

async function readNamed(name: string, options: CompareEvaluationsOptions): Promise<StoredEvaluation> {
  const place = resolve(options.workingFolder, name);
  const kind = await kindOf(place);
  if (kind === "folder") return (await readEvaluation(place)) ?? refuse(name, "holds no evaluation.json");
  if (kind === "file") {
    const beside = await readEvaluation(dirname(place));
    if (beside !== undefined) return beside;
    return readById(await idInRow(place, name), options);
  }
  return readById(name, options);
}

async function readById(id: string, { cacheFolder }: CompareEvaluationsOptions): Promise<StoredEvaluation> {
  const found: string[] = [];
  for (const dataset of await namesIn(cacheFolder)) {
    const { evaluationsFolder } = corpusLayout(join(cacheFolder, dataset, CORPUS_FOLDER_NAME));
    for (const name of await namesIn(evaluationsFolder)) {
      if (name.startsWith(id)) found.push(join(evaluationsFolder, name));
    }
  }
  const exact = found.filter((folder) => basename(folder) === id);
  const [folder, another] = exact.length > 0 ? exact : found;
  if (folder === undefined) {
    throw new WinnowError("run_not_found", `There is no evaluation "${oneLine(id, 60)}".`, {
      hint: "`winnow eval` prints the folder of each evaluation; give its name or its path.",
    });
  }
  if (another !== undefined) refuse(id, `could be ${folder} or ${another}`);
  return (await readEvaluation(folder)) ?? refuse(id, "holds no evaluation.json");
}

async function idInRow(path: string, name: string): Promise<string> {
  if ((await stat(path)).size > ROW_FILE_BYTES_MAX) return refuse(name, "is no file of an evaluation");
  try {
    const row: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof row === "object" && row !== null && "evaluation" in row && typeof row.evaluation === "string") {
      return row.evaluation;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw toWinnowError(error, "run_not_found");
  }
  return refuse(name, "has no evaluation.json beside it and is no row of `winnow eval --json`");
}

function refuse(name: string, what: string): never {
  throw new WinnowError("invalid_argument", `${oneLine(name, 200)} ${what}.`, {
    hint: "Name evaluations by their id or by their folder.",
  });
}

async function kindOf(path: string): Promise<"folder" | "file" | "none"> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "ENAMETOOLONG"].includes(systemErrorCode(error) ?? "")) return "none";
    throw toWinnowError(error, "run_not_found");
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "")) return [];
    throw toWinnowError(error, "run_not_found");
  }
}
