import { type SearchResult, toResult } from "../../../src/agent/result.ts";
import { believing } from "../../../src/core/believing.ts";
import { WinnowError } from "../../../src/core/errors.ts";
import { RECORD_SCHEMAS, type RecordEvent, type RecordHeader } from "../../../src/record/events.ts";
import { parseRecord, type RunRecord } from "../../../src/record/parse-record.ts";
import { type BudgetSeries, budgetSeries } from "./budget.ts";
import { byDocument, type ChunkLife, chunkLives, type DocumentLives } from "./lives.ts";
import { endOf, type Turn, turnsOf } from "./turns.ts";

/** Larger files are refused before they are read; as much as `winnow show` reads. */
export const FILE_BYTES_MAX = 256_000_000;

/** A record with everything that the page derives from it. */
export interface Run {
  /** Name of the file that it came from. */
  readonly name: string;
  readonly record: RunRecord;
  readonly turns: readonly Turn[];
  readonly budget: BudgetSeries;
  readonly lives: readonly ChunkLife[];
  readonly documents: readonly DocumentLives[];
  /** Undefined when the run did not end. */
  readonly result: SearchResult | undefined;
}

/** One record as `winnow show --html` embeds it. */
export interface EmbeddedRecord {
  readonly name: string;
  readonly header: RecordHeader;
  readonly events: readonly RecordEvent[];
  readonly torn: boolean;
}

/** Builds the run that the page shows. Throws `record_corrupt` where a field is not what it must be. */
export function toRun(name: string, record: RunRecord): Run {
  return believing(name, () => {
    const { corpora, policy } = record.header;
    for (const text of [policy.name, ...corpora.map((corpus) => corpus.name)]) text.trim();
    const turns = turnsOf(record);
    const lives = chunkLives(record);
    const end = endOf(record);
    return {
      name,
      record,
      turns,
      budget: budgetSeries(record, turns),
      lives,
      documents: byDocument(lives),
      result: end === undefined ? undefined : toResult(record.header, record.events, end, undefined),
    };
  });
}

/** The run in the text of a file. Throws a `WinnowError` that says what is wrong with the file, and where. */
export function runFromText(name: string, text: string): Run {
  if (text.trim() === "") {
    throw new WinnowError("record_corrupt", `${name} is empty.`, { hint: "Give a record: a .jsonl file under runs/." });
  }
  return toRun(name, parseRecord(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text, name));
}

/** The runs that were embedded in the page; none for the page that was opened as it is. */
export function runsFromPage(text: string): readonly Run[] {
  if (text.trim() === "") return [];
  const embedded = JSON.parse(text) as readonly EmbeddedRecord[];
  return embedded.map(({ name, header, events, torn }) => {
    if (!RECORD_SCHEMAS.includes(header.schema)) throw new WinnowError("record_corrupt", `${name} is not a record.`);
    return toRun(name, { header, events, torn });
  });
}
