import { readFile, stat } from "node:fs/promises";
import { z } from "zod/mini";
import { systemErrorCode, WinnowError } from "../core/errors.ts";
import { RECORD_SCHEMA, type RecordEvent, type RecordHeader, type RecordLine } from "./events.ts";

/** A run of 1,000 turns at a full window writes about a tenth of this. */
const RECORD_BYTES_MAX = 256_000_000;

export interface RunRecord {
  readonly header: RecordHeader;
  readonly events: readonly RecordEvent[];
  /** True when the last line was torn (the process died while writing) and has been left out. */
  readonly torn: boolean;
}

/** What must hold of a line before the rest of it is believed. The full shape is ours: only we write records. */
const headerSchema = z.looseObject({
  type: z.literal("header"),
  schema: z.string(),
  runId: z.string(),
  query: z.string(),
  profile: z.looseObject({ name: z.string() }),
  documentsMax: z.number(),
});
const base = { seq: z.number(), at: z.number(), turn: z.number() };
const strings = z.array(z.string());
const chunkSchema = z.looseObject({
  key: z.string(),
  text: z.string(),
  title: z.string(),
  tokens: z.number(),
  index: z.number(),
});
const ids = z.array(z.int().check(z.minimum(0)));
const tokensSchema = z
  .looseObject({
    prompt: z.looseObject({ keep: z.int().check(z.minimum(0)), add: ids }),
    completion: ids,
    logprobs: z.optional(z.array(z.number().check(z.maximum(0)))),
    renderer: z.string(),
    sampled: z.boolean(),
  })
  .check(
    z.refine(({ completion, logprobs }) => logprobs === undefined || logprobs.length === completion.length, {
      error: "there is not one log-probability for each completion id",
    }),
  );
const eventSchema = z.discriminatedUnion("type", [
  z.looseObject({
    type: z.literal("decision"),
    ...base,
    promptHash: z.string(),
    calls: z.array(z.looseObject({ id: z.string(), tool: z.string(), arguments: z.unknown() })),
    tokens: z.optional(tokensSchema),
  }),
  z.looseObject({
    type: z.literal("tool_result"),
    ...base,
    callId: z.string(),
    chunks: z.array(chunkSchema),
    hits: z.array(z.looseObject({ key: z.string() })),
    alreadyShown: strings,
    hiddenPruned: strings,
  }),
  z.looseObject({ type: z.literal("edit"), ...base, pruned: strings }),
  z.looseObject({ type: z.literal("budget"), ...base, line: z.string(), used: z.number() }),
  z.looseObject({ type: z.literal("notice"), ...base, code: z.string(), message: z.string(), shown: z.string() }),
  z.looseObject({
    type: z.literal("end"),
    ...base,
    stopReason: z.string(),
    documents: z.array(z.looseObject({ id: z.string() })),
  }),
]);

/**
 * Reads a record. A torn last line is dropped and reported; damage anywhere else is `record_corrupt` with the line
 * number. Rejects with `run_not_found` when there is no such file.
 */
export async function readRecord(file: string): Promise<RunRecord> {
  let text: string;
  try {
    const found = await stat(file);
    if (!found.isFile()) throw corrupt(file, 1, "it is not a file");
    if (found.size > RECORD_BYTES_MAX) throw corrupt(file, 1, `it has ${found.size} bytes, more than any record`);
    text = await readFile(file, "utf8");
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") {
      throw new WinnowError("run_not_found", `There is no record at ${file}.`, {
        hint: "List the runs with: winnow runs",
      });
    }
    throw error;
  }
  return parseRecord(text, file);
}

/** `readRecord` over text already in memory; `name` appears in errors. */
export function parseRecord(text: string, name: string): RunRecord {
  const lines = text.split("\n");
  const torn = lines.pop() !== "";
  const [first, ...rest] = lines;
  if (first === undefined) throw corrupt(name, 1, "the header is missing");
  const header = parseLine(first, name, 1, headerSchema) as unknown as RecordHeader;
  if (header.schema !== RECORD_SCHEMA) {
    throw new WinnowError(
      "record_corrupt",
      `${name} has format ${String(header.schema)}; this version reads ${RECORD_SCHEMA}.`,
      {
        hint: "Open it with the version of Winnow that wrote it.",
      },
    );
  }
  const events = rest.map((line, i) => {
    const event = parseLine(line, name, i + 2, eventSchema) as unknown as RecordEvent;
    if (event.seq !== i + 1) throw corrupt(name, i + 2, `event ${event.seq} stands where event ${i + 1} is expected`);
    return event;
  });
  return { header, events, torn };
}

function parseLine(line: string, name: string, number: number, schema: z.core.$ZodType): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw corrupt(name, number, "it is not JSON");
  }
  const parsed = z.safeParse(schema, value);
  if (!parsed.success) throw corrupt(name, number, parsed.error.issues[0]?.message ?? "it has the wrong shape");
  return value;
}

function corrupt(name: string, line: number, what: string): WinnowError {
  return new WinnowError("record_corrupt", `${name} is damaged at line ${line}: ${what}.`, {
    hint: "The record cannot be replayed; the corpus itself is not affected.",
  });
}

/** Inverse of `parseRecord` for lines that were kept in memory. */
export function recordFromLines(lines: readonly RecordLine[]): RunRecord {
  const [header, ...events] = lines;
  if (header?.type !== "header") throw new WinnowError("record_corrupt", "The record has no header.");
  return { header, events: events as RecordEvent[], torn: false };
}
