import { type FileHandle, mkdir, open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod/mini";
import { systemErrorCode, toWinnowError, WinnowError } from "../core/errors.ts";
import { readPlain, UnusableFile } from "../core/plain-file.ts";
import { outcomeSchema } from "./outcome-schema.ts";
import type { QueryOutcome } from "./query-outcome.ts";

const HEADER_FILE = "evaluation.json";
const RESULTS_FILE = "results.jsonl";
/** Half a million outcomes. */
const FILE_BYTES_MAX = 500_000_000;

/** What an evaluation is; written once, and equal when it is resumed. */
export interface EvaluationHeader {
  readonly schema: "evaluation-header/1";
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly dataset: string;
  readonly datasetHash: string;
  readonly policy: string;
  readonly profile: string;
  readonly retrieval: string;
  readonly k: number;
  readonly seed: number;
  readonly queries: number;
}

const headerSchema: z.ZodMiniType<EvaluationHeader> = z.object({
  schema: z.literal("evaluation-header/1"),
  id: z.string(),
  startedAt: z.number(),
  dataset: z.string(),
  datasetHash: z.string(),
  policy: z.string(),
  profile: z.string(),
  retrieval: z.string(),
  k: z.number(),
  seed: z.number(),
  queries: z.number(),
});

/** An evaluation as it lies on disk: its header and the last outcome of every query, in the order of writing. */
export interface StoredEvaluation {
  readonly header: EvaluationHeader;
  readonly outcomes: ReadonlyMap<string, QueryOutcome>;
}

/** Reads `folder` (`evaluations/<id>`). Undefined where no evaluation was begun; `record_corrupt` where it is damaged. */
export async function readEvaluation(folder: string): Promise<StoredEvaluation | undefined> {
  const header = await readIfPresent(join(folder, HEADER_FILE));
  if (header === undefined) return undefined;
  const outcomes = new Map<string, QueryOutcome>();
  const lines = ((await readIfPresent(join(folder, RESULTS_FILE))) ?? "").split("\n");
  // What follows the last line end was torn by a crash before it was acknowledged.
  lines.pop();
  for (const [i, line] of lines.entries()) {
    const outcome = parse(outcomeSchema, line, `${RESULTS_FILE}, line ${i + 1}`);
    // A query that failed and was run again has two lines.
    outcomes.delete(outcome.query);
    outcomes.set(outcome.query, outcome);
  }
  return { header: parse(headerSchema, header, HEADER_FILE), outcomes };
}

/** Appends outcomes, one at a time; each is on disk when `append` resolves. */
export class ResultsFile {
  readonly #file: FileHandle;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Creates the folder and the header where there is none, and cuts off a torn last line. */
  static async open(folder: string, header: EvaluationHeader, isNew: boolean): Promise<ResultsFile> {
    await mkdir(folder, { recursive: true });
    if (isNew) {
      const path = join(folder, HEADER_FILE);
      await writeFile(`${path}.part`, `${JSON.stringify(header, null, 2)}\n`, { flush: true });
      await rename(`${path}.part`, path);
    }
    const file = await open(join(folder, RESULTS_FILE), "a+");
    try {
      const bytes = await file.readFile();
      await file.truncate(bytes.lastIndexOf(10) + 1);
      return new ResultsFile(file);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  append(outcome: QueryOutcome): Promise<void> {
    const appended = this.#last.then(async () => {
      await this.#file.appendFile(`${JSON.stringify(outcome)}\n`);
      await this.#file.datasync();
    });
    this.#last = appended.catch(() => undefined);
    return appended;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#file.close();
  }
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readPlain(path, FILE_BYTES_MAX);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    if (error instanceof UnusableFile) throw damaged(`${path}, ${error.message}`);
    throw toWinnowError(error, "record_corrupt");
  }
}

function parse<T>(schema: z.ZodMiniType<T>, text: string, place: string): T {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
  } catch {
    // Reported below like any other defect.
  }
  throw damaged(place);
}

function damaged(place: string): WinnowError {
  return new WinnowError("record_corrupt", `The evaluation is damaged: ${place}.`, {
    hint: "Remove its folder and evaluate again.",
  });
}
