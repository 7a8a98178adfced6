import { z } from "zod/mini";
import { WinnowError } from "../core/errors.ts";
import { nestsDeeper } from "../core/json-depth.ts";
import { truncate } from "../core/text.ts";
import { RECORD_SCHEMAS, type RecordEvent, type RecordHeader, type RecordLine } from "./events.ts";

/** Nesting of one line; arguments of calls are kept to 32. */
const DEPTH_MAX = 100;
/** Of an unknown format's name in a message. */
const SCHEMA_UNITS_SHOWN_MAX = 40;

export interface RunRecord {
  readonly header: RecordHeader;
  readonly events: readonly RecordEvent[];
  /** True when the last line was torn (the process died while writing) and has been left out. */
  readonly torn: boolean;
}

/** What must hold of a line before the rest of it is believed. The full shape is ours: only we write records. */
const formatSchema = z.looseObject({ type: z.literal("header"), schema: z.string() });
const headerSchema = z.looseObject({
  runId: z.string(),
  query: z.string(),
  profile: z.looseObject({ name: z.string() }),
  documentsMax: z.number(),
});
const base = { seq: z.number(), at: z.number(), turn: z.number() };
const strings = z.array(z.string());
const failure = z.looseObject({ code: z.string(), message: z.string() });
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
const placeSchema = z.looseObject({
  key: z.string(),
  corpus: z.string(),
  documentId: z.string(),
  index: z.number(),
  score: z.number(),
});
const eventSchema = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("ranking"), ...base, entries: z.array(placeSchema) }),
  z.looseObject({
    type: z.literal("decision"),
    ...base,
    promptHash: z.string(),
    text: z.optional(z.string()),
    reasoning: z.optional(z.string()),
    error: z.optional(failure),
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
    message: z.optional(z.string()),
    error: z.optional(failure),
  }),
  z.looseObject({ type: z.literal("edit"), ...base, pruned: strings }),
  z.looseObject({ type: z.literal("budget"), ...base, line: z.string(), used: z.number() }),
  z.looseObject({ type: z.literal("notice"), ...base, code: z.string(), message: z.string(), shown: z.string() }),
  z.looseObject({
    type: z.literal("end"),
    ...base,
    stopReason: z.string(),
    documents: z.array(z.looseObject({ id: z.string() })),
    chunks: z.optional(z.array(chunkSchema)),
  }),
]);

/** Reads the text of a record, as `readRecord` does a file; `name` appears in errors. Other formats than `RECORD_SCHEMAS` are refused. */
export function parseRecord(text: string, name: string): RunRecord {
  const lines = text.split("\n");
  const torn = lines.pop() !== "";
  const [first, ...rest] = lines;
  if (first === undefined) throw damagedAt(name, 1, "the header is missing");
  // The format comes first: the rest of another format's header need not look like ours.
  const { schema } = parseLine(first, name, 1, formatSchema) as z.infer<typeof formatSchema>;
  if (!RECORD_SCHEMAS.some((known) => known === schema)) throw unknownFormat(name, schema);
  const header = parseLine(first, name, 1, headerSchema) as unknown as RecordHeader;
  const events = rest.map((line, i) => {
    const event = parseLine(line, name, i + 2, eventSchema) as unknown as RecordEvent;
    if (event.seq !== i + 1) throw damagedAt(name, i + 2, `event ${event.seq} stands where event ${i + 1} is expected`);
    return event;
  });
  return { header, events, torn };
}

/** What may be wrong is told by the name: a newer record needs a newer reader, anything else is no record at all. */
function unknownFormat(name: string, schema: string): WinnowError {
  const known = RECORD_SCHEMAS.join(" and ");
  const hint = /^run\/\d{1,6}$/.test(schema)
    ? "A newer version of Winnow wrote it: open it with that one, or update this one."
    : "Give a file that winnow search has written.";
  const message = `${name} has the format ${truncate(schema, SCHEMA_UNITS_SHOWN_MAX)}; this version reads ${known}.`;
  return new WinnowError("record_corrupt", message, { hint });
}

function parseLine(line: string, name: string, number: number, schema: z.core.$ZodType): unknown {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw damagedAt(name, number, "it is not JSON");
  }
  if (nestsDeeper(value, DEPTH_MAX)) throw damagedAt(name, number, "it is nested too deeply");
  const parsed = z.safeParse(schema, value);
  if (!parsed.success) throw damagedAt(name, number, parsed.error.issues[0]?.message ?? "it has the wrong shape");
  return value;
}

/** The error for damage at a line of a record. */
export function damagedAt(name: string, line: number, what: string): WinnowError {
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
