import { isObject } from "../files/json-document.ts";
import { measureJson } from "../files/json-nesting.ts";

/** A part of a message, as far as we use it. Reasoning and pictures are left out. */
export type Block =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "call"; readonly id: string; readonly name: string; readonly input: Fields }
  | { readonly type: "result"; readonly id: string; readonly isError: boolean; readonly text: string };

/** What a line says beside its type; every field may be missing, since nothing of the format is promised. */
export interface TranscriptRecord {
  readonly type: "user" | "assistant" | "title";
  readonly blocks: readonly Block[];
  readonly uuid: string | undefined;
  readonly parentUuid: string | undefined;
  readonly sessionId: string | undefined;
  readonly agentId: string | undefined;
  readonly cwd: string | undefined;
  readonly gitBranch: string | undefined;
  /** Milliseconds since the epoch. */
  readonly timeMs: number | undefined;
  /** Of a subagent. */
  readonly isSidechain: boolean;
  /** Written by the program in the name of the user. */
  readonly isMeta: boolean;
  /** A model's summary of what was said before, put in its place. */
  readonly isCompactSummary: boolean;
  /** What the program keeps about the result of a call, in a form of each tool's own. */
  readonly toolUseResult: unknown;
  readonly title: Title | undefined;
}

/** A name of the session. Of several kinds the one with the highest rank counts. */
export interface Title {
  readonly rank: number;
  readonly text: string;
  /** The message that a summary is of; older versions wrote summaries into the files of other sessions. */
  readonly leafUuid: string | undefined;
}

export type Fields = Readonly<Record<string, unknown>>;

const NAME_UNITS_MAX = 200;
const PLACE_UNITS_MAX = 1_000;
const BLOCKS_MAX = 10_000;
/** The latest time that a date can hold. */
const TIME_MAX_MS = 8.64e15;

/**
 * A line of a transcript; `undefined` for a record that says nothing to us, `"damaged"` for what is not an object in
 * JSON, `"deep"` for what is nested too deeply. Never throws: a field of the wrong type counts as missing.
 */
export function readRecord(line: string, jsonDepthMax: number): TranscriptRecord | "damaged" | "deep" | undefined {
  const source = line.trim();
  if (source === "") return undefined;
  if (measureJson(source).depth > jsonDepthMax) return "deep";
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch {
    return "damaged";
  }
  return isFields(value) ? toRecord(value) : "damaged";
}

export const isFields = (value: unknown): value is Fields => isObject(value);

function toRecord(fields: Fields): TranscriptRecord | undefined {
  const type = field(fields, "type");
  const title = titleOf(fields, type);
  if (title !== undefined) return record(fields, "title", [], title);
  if (type === "attachment") return queuedPrompt(fields);
  if (type !== "user" && type !== "assistant") return undefined;
  const message = field(fields, "message");
  return record(fields, type, isFields(message) ? blocksOf(field(message, "content")) : [], undefined);
}

function record(
  fields: Fields,
  type: TranscriptRecord["type"],
  blocks: readonly Block[],
  title: Title | undefined,
): TranscriptRecord {
  return {
    type,
    blocks,
    title,
    uuid: text(fields, "uuid", NAME_UNITS_MAX),
    parentUuid: text(fields, "parentUuid", NAME_UNITS_MAX),
    sessionId: text(fields, "sessionId", NAME_UNITS_MAX),
    agentId: text(fields, "agentId", NAME_UNITS_MAX),
    cwd: text(fields, "cwd", PLACE_UNITS_MAX),
    gitBranch: text(fields, "gitBranch", PLACE_UNITS_MAX),
    timeMs: timeOf(field(fields, "timestamp")),
    isSidechain: field(fields, "isSidechain") === true,
    isMeta: field(fields, "isMeta") === true,
    isCompactSummary: field(fields, "isCompactSummary") === true,
    toolUseResult: field(fields, "toolUseResult"),
  };
}

/** In rising order: what the first prompt was summed up as, what a model called the session, what its user did. */
const TITLES = [
  ["summary", "summary"],
  ["ai-title", "aiTitle"],
  ["custom-title", "customTitle"],
] as const;

function titleOf(fields: Fields, type: unknown): Title | undefined {
  const rank = TITLES.findIndex(([name]) => name === type);
  const [, key] = TITLES[rank] ?? [];
  const named = key === undefined ? undefined : text(fields, key, PLACE_UNITS_MAX);
  if (named === undefined) return undefined;
  return { rank, text: named, leafUuid: text(fields, "leafUuid", NAME_UNITS_MAX) };
}

/** What the user wrote while the agent was at work comes as an attachment; all other attachments are left out. */
function queuedPrompt(fields: Fields): TranscriptRecord | undefined {
  const attachment = field(fields, "attachment");
  if (!isFields(attachment) || field(attachment, "type") !== "queued_command") return undefined;
  const mode = field(attachment, "commandMode");
  if (mode !== undefined && mode !== "prompt") return undefined;
  return record(fields, "user", blocksOf(field(attachment, "prompt")), undefined);
}

function blocksOf(content: unknown): Block[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) return [];
  return content.slice(0, BLOCKS_MAX).flatMap((block: unknown) => (isFields(block) ? blockOf(block) : []));
}

function blockOf(block: Fields): readonly Block[] {
  const type = field(block, "type");
  if (typeof type !== "string") return [];
  if (type === "text") {
    const content = field(block, "text");
    return typeof content === "string" ? [{ type: "text", text: content }] : [];
  }
  // Calls that the provider runs carry a word in front: `server_tool_use`, `mcp_tool_result`.
  if (type.endsWith("tool_use")) {
    const [id, name, input] = [
      text(block, "id", NAME_UNITS_MAX),
      text(block, "name", NAME_UNITS_MAX),
      field(block, "input"),
    ];
    if (id === undefined || name === undefined) return [];
    return [{ type: "call", id, name, input: isFields(input) ? input : input === undefined ? {} : { input } }];
  }
  const id = type.endsWith("tool_result") ? text(block, "tool_use_id", NAME_UNITS_MAX) : undefined;
  if (id === undefined) return [];
  return [
    { type: "result", id, isError: field(block, "is_error") === true, text: resultText(field(block, "content")) },
  ];
}

function resultText(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  const parts = content.slice(0, BLOCKS_MAX).flatMap((part: unknown) => {
    if (!isFields(part)) return [];
    const own = field(part, "text");
    if (typeof own === "string") return [own];
    return field(part, "type") === "image" ? ["[image]"] : [];
  });
  return parts.join("\n");
}

/** A field that the object itself has: a transcript may name one `constructor`. */
export function field(fields: Fields, key: string): unknown {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

function text(fields: Fields, key: string, unitsMax: number): string | undefined {
  const value = field(fields, key);
  return typeof value === "string" && value.trim() !== "" && value.length <= unitsMax ? value : undefined;
}

function timeOf(value: unknown): number | undefined {
  const time = typeof value === "string" && /^\d{4}-\d\d-\d\d[T ]/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isFinite(time) && time > 0 && time <= TIME_MAX_MS ? time : undefined;
}
